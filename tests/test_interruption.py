"""Ctrl-C ends every command, whatever it is at, and nothing that it started is left."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import URL

from tests.support.databases import PROJECT, Database, clean_environment
from tests.support.deployments import deployment, unique_role_names
from tests.support.people import Person
from tests.support.processes import Command, beside_this_python, started
from tests.support.server import passable_folder

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/environ").exists(), reason="only /proc tells whose child a process is"
)
MARK = "HEDGEROW_TEST_MARK"
PROJECT_LINES = '[tool.hedgerow]\nproject = "app.core.project:project"\nerd = "tables.md"\n'
# Ctrl-C at a moment that no clock hits: the server has started, and `serve` does not know yet.
WHILE_THE_SERVER_STARTS = """
import os, signal, subprocess, sys
import app.dev
class Interrupted(subprocess.Popen):
    def __init__(self, command, **options):
        super().__init__(["sleep", "600"], **options)
        os.kill(os.getpid(), signal.SIGINT)
app.dev.subprocess.Popen = Interrupted
sys.exit(app.dev.serve([]))
"""
COMMANDS: tuple[tuple[str, ...], ...] = (
    ("audit", "list"),
    ("audit", "verify"),
    ("bench", "--rounds", "1"),
    ("check",),
    ("erd",),
    ("lint",),
    ("psql", "--", "-c", "SELECT pg_sleep(0.5)"),
    ("why", "--user", "alice@example.com", "--table", "item", "--id"),
)
BOUND = 30
"""Seconds in which a command has to end: long, because the machine may be busy."""


def interrupt(
    command: Command, folder: Path, environment: Mapping[str, str], seconds: float
) -> None:
    """Press Ctrl-C that long after the start, where the command still runs; expect it to end."""
    mark = uuid4().hex
    with (
        tempfile.NamedTemporaryFile("w") as errors,
        started(
            command,
            folder=folder,
            environment={**environment, MARK: mark},
            stdout=subprocess.DEVNULL,
            stderr=errors.file,
        ) as process,
    ):
        if not has_ended(process, seconds):
            os.killpg(process.pid, signal.SIGINT)
        if not has_ended(process, BOUND):
            # Python drops an interruption that meets a finaliser, and says so: press again.
            assert "Exception ignored" in Path(errors.name).read_text()
            os.killpg(process.pid, signal.SIGINT)
            assert has_ended(process, BOUND)
        assert running(f"{MARK}={mark}", "environ") == []


def at_once(works: Iterable[Callable[[], None]]) -> None:
    """Do all of these at the same time: each mostly waits."""
    with ThreadPoolExecutor() as pool:
        for done in [pool.submit(work) for work in works]:
            done.result()


def has_ended(process: subprocess.Popen[str], seconds: float) -> bool:
    try:
        process.wait(timeout=seconds)
    except subprocess.TimeoutExpired:
        return False
    return True


def running(text: str, file: str) -> list[str]:
    """Return what still runs with `text` in its environment or command line, and end it."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if os.fsencode(text) in (process / file).read_bytes():
                found.append((process / "cmdline").read_text().replace("\0", " "))
                os.kill(int(process.name), signal.SIGKILL)
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT_LINES)
    return tmp_path


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_hedgerow(words: tuple[str, ...], folder: Path, database: Database, alice: Person) -> None:
    row = [str(alice.items[0])] if words[0] == "why" else []
    command: Command = [beside_this_python("hedgerow"), *words, *row]
    at_once(
        partial(interrupt, command, folder, database.environment(), seconds)
        for seconds in (0.1, 0.3, 0.6)
    )


def test_alembic_upgrade(server: URL) -> None:
    """And what it has left undone, the next one does."""
    command: Command = [beside_this_python("alembic"), "upgrade", "head"]
    with deployment(server, unique_role_names()) as deployed:
        environment = deployed.database.environment(**deployed.settings())
        for seconds in (0.2, 0.5, 0.8):
            interrupt(command, PROJECT, environment, seconds)
        deployed.upgrade()


@pytest.mark.parametrize("level", ["database", "http"])
def test_benchmarks(level: str, tmp_path: Path) -> None:
    command: Command = [sys.executable, "-m", "benchmarks", level, "--quick", "--output", tmp_path]
    environment = clean_environment(TMPDIR=str(tmp_path))
    at_once(partial(interrupt, command, PROJECT, environment, seconds) for seconds in (0.5, 2.5))
    assert running(f"-D {tmp_path}", "cmdline") == []


@contextmanager
def project_copy() -> Iterator[Path]:
    """Yield a copy of what the application is made of, with no data of its own yet."""
    project = passable_folder("hedgerow-interrupted-")
    for name in ("app", "hedgerow"):
        shutil.copytree(PROJECT / name, project / name)
    shutil.copy(PROJECT / "alembic.ini", project)
    yield project
    shutil.rmtree(project)


def interrupt_dev(seconds: float) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "app.dev", "--port", str(port)]
    with project_copy() as project:
        interrupt(command, project, clean_environment(), seconds)
        assert running(f"-D {project}", "cmdline") == []


def test_dev() -> None:
    """It starts PostgreSQL, and a server that watches the files and starts another process."""
    at_once(partial(interrupt_dev, seconds) for seconds in (0.3, 1.0, 1.8, 3.0))


def test_dev_while_its_server_starts() -> None:
    interrupt([sys.executable, "-c", WHILE_THE_SERVER_STARTS], PROJECT, clean_environment(), BOUND)
