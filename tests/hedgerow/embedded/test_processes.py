"""What is known of a process, by /proc and by ps."""

import os
import subprocess
import time
from pathlib import Path

import pytest

from hedgerow.embedded import postmaster
from hedgerow.embedded.postmaster import command_line, look_up


@pytest.fixture(params=["proc", "ps"], autouse=True)
def source(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Linux has both ways, macOS the second only."""
    needed = Path("/proc/self/stat" if request.param == "proc" else "/bin/ps")
    if not needed.exists():
        pytest.skip(f"this system has no {needed}")
    monkeypatch.setattr(postmaster, "_HAS_PROC", request.param == "proc")


def test_a_living_process_is_found_and_stays_the_same() -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as program:
        try:
            process = look_up(program.pid)
            assert process is not None
            assert process.parent == os.getpid()
            assert look_up(program.pid) == process
            while not (command := command_line(program.pid)):
                time.sleep(0.001)  # Linux fills it in a moment after exec has begun
            assert command == "/bin/sleep 60"
        finally:
            program.kill()


def test_a_zombie_is_no_living_process_and_is_reaped() -> None:
    program = subprocess.Popen(["/bin/sleep", "60"])
    program.kill()
    os.waitid(os.P_PID, program.pid, os.WEXITED | os.WNOWAIT)
    assert look_up(program.pid) is None
    with pytest.raises(ChildProcessError):
        os.waitpid(program.pid, 0)
    program.wait()
    assert command_line(program.pid) == ""


@pytest.mark.parametrize("pid", [0, -1, 2**30])
def test_there_is_no_such_process(pid: int) -> None:
    assert look_up(pid) is None
