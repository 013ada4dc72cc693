"""Run the programs of this project's environment, `alembic` and `hedgerow`, quickly and often.

They are forks: see `fork_server`. `tests/test_interruption.py` runs each command as a process of
its own.
"""

import atexit
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from tests.support import fork_client
from tests.support.fork_client import Request, ask
from tests.support.processes import beside_this_python, started

FORKED = ("alembic", "hedgerow")
_PATIENCE = 120  # seconds
_PROJECT = Path(__file__).resolve().parents[2]


@functools.cache
def fork_server() -> str:
    """Return the address of this process's fork server, which is started where none runs."""
    folder = Path(tempfile.mkdtemp(prefix="hedgerow-forks-"))
    address = str(folder / "socket")
    stack = ExitStack()
    atexit.register(stack.close)
    stack.callback(shutil.rmtree, folder)
    server = stack.enter_context(
        started(
            [sys.executable, "-m", "tests.support.fork_server", address],
            folder=_PROJECT,
            stdin=subprocess.PIPE,
            stderr=None,
        )
    )
    assert server.stdout is not None
    assert server.stdout.readline() == "listening\n"
    return address


def write_asking_program(program: Path, copied: Path, project: Path) -> None:
    """Write `program`, of a project's .venv/bin, to have the fork server run `copied`."""
    python = str(program.with_name("python"))
    text = fork_client.PROGRAM.format(
        python=python,
        client=fork_client.__file__,
        program=str(copied),
        project=str(project),
        address=fork_server(),
    )
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)


def run_program(
    name: str,
    *arguments: str | Path,
    folder: Path = _PROJECT,
    environment: Mapping[str, str],
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, whatever its exit code.

    Raises TimeoutError where it takes longer than two minutes; by then it is killed.
    """
    command = [str(beside_this_python(name)), *map(str, arguments)]
    with (
        Path(os.devnull).open() as stdin,
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
    ):
        streams = (stdin.fileno(), out.fileno(), err.fileno())
        request = Request(
            command, str(folder), dict(environment), sys.executable, str(_PROJECT), streams
        )
        code = ask(fork_server(), request, _PATIENCE)
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(command, code, out.read(), err.read())
