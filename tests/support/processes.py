"""Processes that tests start: each in a session of its own, ended with all that it started."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

Command = Sequence[str | Path]
Output = IO[str] | int | None


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
