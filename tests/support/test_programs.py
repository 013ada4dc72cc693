"""A program that the fork server runs has what a process of its own has, and is ended with it."""

import sys
import time
from pathlib import Path

import pytest

from hedgerow.embedded.postmaster import look_up
from tests.support.databases import PROJECT, clean_environment
from tests.support.fork_client import Request, ask
from tests.support.programs import fork_server, run_program

TELL = """
import atexit, os, sys
atexit.register(print, "at the end")
print(os.getcwd(), os.environ["ONLY"], len(os.environ), sys.argv[1:], "app" in sys.modules)
print("to stderr", file=sys.stderr)
sys.exit(7)
"""
LINGER = """
import os, sys, time
with open("pid", "w") as file:
    file.write(str(os.getpid()))
time.sleep(600)
"""


def request(folder: Path, program: str, out: int, *arguments: str) -> Request:
    (folder / "program.py").write_text(program)
    words = [str(folder / "program.py"), *arguments]
    return Request(
        words, str(folder), {"ONLY": "this"}, sys.executable, str(PROJECT), (out, out, out)
    )


def test_a_program_has_its_folder_arguments_environment_and_streams(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+") as out:
        asked = request(tmp_path, TELL, out.fileno(), "one", "two")
        assert ask(fork_server(), asked, 60) == 7
    said = (tmp_path / "out").read_text().splitlines()
    assert f"{tmp_path.resolve()} this 1 ['one', 'two'] False" in said
    assert {"to stderr", "at the end"} <= set(said)


def test_a_program_that_takes_too_long_is_killed(tmp_path: Path) -> None:
    with (tmp_path / "out").open("w+") as out, pytest.raises(TimeoutError):
        ask(fork_server(), request(tmp_path, LINGER, out.fileno()), 2)
    pid = int((tmp_path / "pid").read_text())
    while look_up(pid) is not None:
        time.sleep(0.01)


def test_a_command_that_fails_says_so() -> None:
    result = run_program("alembic", "no-such-command", environment=clean_environment())
    assert (result.returncode, result.stdout) == (2, "")
    assert "no-such-command" in result.stderr
