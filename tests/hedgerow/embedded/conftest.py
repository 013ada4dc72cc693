"""Folders, and processes that use the embedded server, each gone when its test ends."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hedgerow.embedded import EmbeddedServer
from tests.hedgerow.embedded.support import FAST, ServerUser, postmaster_pid
from tests.support.server import passable_folder


@pytest.fixture(scope="session")
def made() -> Iterator[Path]:
    """A directory with data that nobody uses: initdb is slow, a copy is not."""
    path = passable_folder("hedgerow-embedded-")
    with EmbeddedServer(path, settings=FAST):
        pass
    yield path
    shutil.rmtree(path)


@pytest.fixture
def folder(empty_folder: Path, made: Path) -> Path:
    """A directory that has data already."""
    subprocess.run(["/bin/cp", "-a", made / "cluster", made / "password", empty_folder], check=True)
    return empty_folder


@pytest.fixture
def empty_folder() -> Iterator[Path]:
    """A folder that every user may pass through, unlike pytest's tmp_path."""
    path = passable_folder("hedgerow-embedded-")
    yield path
    for file in path.rglob("postmaster.pid"):
        pid = postmaster_pid(file.parents[2])
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
    shutil.rmtree(path)


@pytest.fixture
def server(folder: Path) -> Iterator[EmbeddedServer]:
    """A server of this process's, not yet acquired; its folder is `folder`."""
    server = EmbeddedServer(folder, settings=FAST)
    yield server
    server.release()


@pytest.fixture
def start_user() -> Iterator[Callable[..., ServerUser]]:
    """Start processes that use the server of a directory."""
    users: list[ServerUser] = []

    def start(directory: Path, uid: int = 0) -> ServerUser:
        users.append(ServerUser(directory, uid))
        return users[-1]

    yield start
    for user in users:
        user.kill()
