"""The test run's own PostgreSQL server: started once, shared by all workers, removed at the end."""

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from hedgerow.embedded import EmbeddedServer, EmbeddedServerError, ServerAddress
from tests.support.databases import PROJECT, SERVER_VARIABLE

_MEMORY = Path("/dev/shm")  # noqa: S108
_DISK = PROJECT / ".hedgerow"
_PREFIX = "hedgerow-tests-"
_STARTING = 60  # seconds: a younger folder may belong to a server that is not up yet

_SETTINGS = {
    # What is lost in a crash does not matter here, and tests wait for no disk.
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "128MB",
    # Each test signs in several times: that a password is slow to guess is of no use.
    "scram_iterations": "1",
}


def passable_folder(prefix: str, *, room: int = 2**30, otherwise: Path | None = None) -> Path:
    """Return a new folder that every user may pass through, in memory where that has the room.

    In memory a database is copied in 0.02 s; on a disk that others use too it took 0.3 s.
    """
    roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > room
    path = Path(tempfile.mkdtemp(prefix=prefix, dir=_MEMORY if roomy else otherwise)).resolve()
    path.chmod(0o755)
    return path


class TestServer:
    """The server that the tests use, and its superuser's address."""

    __test__ = False

    def __init__(self) -> None:
        self._embedded: EmbeddedServer | None = None
        self._directory: Path | None = None

    def start(self) -> URL:
        """Return the address of a superuser on the server."""
        if given := os.environ.get(SERVER_VARIABLE):
            return make_url(given).set(drivername="postgresql+psycopg")
        _remove_left_over()
        _DISK.mkdir(exist_ok=True)
        self._directory = passable_folder(_PREFIX, room=2**31, otherwise=_DISK)
        self._embedded = EmbeddedServer(self._directory, settings=_SETTINGS)
        address = self._embedded.acquire()
        self._data = address.data_dir
        _store_password_again(address)
        return address.url()

    def stop(self) -> None:
        """Stop the server and remove its data."""
        if self._embedded is None or self._directory is None:
            return
        self._embedded.release()
        shutil.rmtree(self._data, ignore_errors=True)
        shutil.rmtree(self._directory, ignore_errors=True)


def _store_password_again(address: ServerAddress) -> None:
    """Have the superuser's password stored with as few iterations as those of the roles."""
    url = address.url().set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url) as connection:
        connection.execute(
            sql.SQL("ALTER ROLE {} PASSWORD {}").format(
                sql.Identifier(address.user), sql.Literal(address.password)
            )
        )


def _remove_left_over() -> None:
    """Stop and remove what runs left behind that were killed; one that is in use stays."""
    for directory in _folders():
        server = EmbeddedServer(directory)
        with contextlib.suppress(EmbeddedServerError):
            data = server.acquire().data_dir
            server.release()
            if (data / "postmaster.pid").exists():
                continue  # somebody else uses it as well
            shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(directory, ignore_errors=True)


def _folders() -> Iterator[Path]:
    for parent in (_MEMORY, _DISK):
        for directory in parent.glob(f"{_PREFIX}*"):
            try:
                status = directory.stat()
            except FileNotFoundError:
                continue  # another run has just ended
            is_own = status.st_uid == os.geteuid()
            if is_own and time.time() - status.st_mtime > _STARTING:
                yield directory
