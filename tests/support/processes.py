"""Processes that tests start: each in a session of its own, ended with all that it started."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

Command = Sequence[str | Path]
Output = IO[str] | int | None
_STARTING = 60  # seconds


def beside_this_python(program: str) -> Path:
    """Return the path of a command that is installed in the environment of the tests."""
    return Path(sys.executable).with_name(program)


@contextmanager
def started(
    command: Command,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    stdin: Output = subprocess.DEVNULL,
    stdout: Output = subprocess.PIPE,
    stderr: Output = subprocess.PIPE,
    **account: Any,
) -> Iterator[subprocess.Popen[str]]:
    """Start a process, and kill it with its group at the end, whatever happens.

    It does not get the Ctrl-C of a terminal in which the tests run. `account` is Popen's `user`
    and the like.
    """
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        text=True,
        start_new_session=True,
        **account,
    ) as process:
        try:
            yield process
        finally:
            kill_group(process)


def run_command(
    command: Command,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    timeout: float = 120,
    merged: bool = False,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever its exit code; `merged` has stderr go into stdout.

    Raises subprocess.TimeoutExpired where it takes longer; by then it is killed.
    """
    stderr = subprocess.STDOUT if merged else subprocess.PIPE
    with started(command, folder=folder, environment=environment, stderr=stderr) as process:
        out, err = process.communicate(timeout=timeout)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def wait_until_serving(process: subprocess.Popen[str], port: int, log: Path) -> None:
    """Return once a server answers on `port`; fails with its log where it ends, or takes too long.

    Nothing is asked of it: to make a client of httpx for one question costs 30 ms.
    """
    deadline = time.monotonic() + _STARTING
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port)).close()
            return
        time.sleep(0.05)
    raise AssertionError(f"The server did not come up:\n{log.read_text()}")


def output_of(
    command: Command,
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Run a command that must succeed; return what it printed."""
    result = run_command(command, folder=folder, environment=environment)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def kill_group(process: subprocess.Popen[str]) -> None:
    """Kill a process that `started` has made, and what it left in its group."""
    # macOS refuses to signal a group of which only zombies are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
