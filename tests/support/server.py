"""The test run's own PostgreSQL server: started once, shared by all workers, removed at the end."""

import contextlib
import os
import shutil
import tempfile
import time
from pathlib import Path

from sqlalchemy import URL, make_url

from hedgerow.embedded import EmbeddedServer, EmbeddedServerError
from tests.support.databases import PROJECT

SERVER_VARIABLE = "HEDGEROW_TEST_DATABASE_URL"
"""Names a superuser's address of another server to test on, for instance a PostgreSQL 15."""


_LONGEST_RUN = 3600  # seconds


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
        parent = PROJECT / ".hedgerow"
        parent.mkdir(exist_ok=True)
        _remove_left_over(parent)
        self._directory = Path(tempfile.mkdtemp(prefix="test-", dir=parent))
        self._directory.chmod(0o755)
        # What is lost in a crash does not matter here, and tests wait for no disk.
        quick = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        self._embedded = EmbeddedServer(self._directory, settings=quick)
        address = self._embedded.acquire()
        self._data = address.data_dir
        return address.url()

    def stop(self) -> None:
        """Stop the server and remove its data."""
        if self._embedded is None or self._directory is None:
            return
        self._embedded.release()
        shutil.rmtree(self._data, ignore_errors=True)
        shutil.rmtree(self._directory, ignore_errors=True)


def _remove_left_over(parent: Path) -> None:
    """Stop and remove what runs left behind that were killed; one that is in use is young."""
    for directory in parent.glob("test-*"):
        if time.time() - directory.stat().st_mtime < _LONGEST_RUN:
            continue
        server = EmbeddedServer(directory)
        with contextlib.suppress(EmbeddedServerError):
            data = server.acquire().data_dir
            server.release()
            shutil.rmtree(data, ignore_errors=True)
        shutil.rmtree(directory, ignore_errors=True)
