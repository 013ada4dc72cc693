"""Nothing that a test starts outlives it."""

import subprocess
import sys
import time

import pytest

from hedgerow.embedded.postmaster import look_up
from tests.support.processes import run_command, started

LEAVE_A_CHILD = "import subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True)"


def wait_until_gone(pid: int) -> None:
    while look_up(pid) is not None:
        time.sleep(0.01)


def test_what_a_process_left_in_its_group_is_killed() -> None:
    with started([sys.executable, "-c", LEAVE_A_CHILD]) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.wait()
        assert look_up(child) is not None
    wait_until_gone(child)


def test_a_failing_test_waits_for_no_process() -> None:
    with pytest.raises(ZeroDivisionError), started(["sleep", "600"]) as process:
        raise ZeroDivisionError
    assert process.returncode == -9


def test_a_command_that_takes_too_long_is_killed_with_its_children() -> None:
    command = [sys.executable, "-c", f"{LEAVE_A_CHILD}; import time; time.sleep(600)"]
    with pytest.raises(subprocess.TimeoutExpired) as caught:
        run_command(command, timeout=2)
    output = caught.value.stdout
    assert isinstance(output, bytes)
    wait_until_gone(int(output))
