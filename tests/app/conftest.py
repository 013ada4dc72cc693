"""The application in this process, on a pool of one connection.

A second connection in a request, or one that was not given back, fails the test that did it.
"""

from collections.abc import Iterator
from functools import partial

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, QueuePool, create_engine

import app.api.deps
import app.core.db
from app.core.rls import AdminContext
from app.core.rls import row_security as configured_row_security
from app.main import app as application
from hedgerow import RowSecurity
from tests.app.mail_server import MailServer
from tests.support.databases import Database

ONE_CONNECTION = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 2}


@pytest.fixture(scope="session")
def row_security() -> RowSecurity:
    """Return what the application is to believe; a folder may override it, with `database`."""
    return configured_row_security


@pytest.fixture(scope="module")
def engine(database: Database, row_security: RowSecurity) -> Iterator[Engine]:
    """Yield the application's own engine, but on `database` and with one connection at most."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(app.core.db, "create_engine", partial(create_engine, **ONE_CONNECTION))
        patch.setattr(app.core.db, "application_url", lambda: database.app_url)
        for holder in (app.core.db, app.api.deps, AdminContext):
            patch.setattr(holder, "row_security", row_security)
        app.core.db.get_engine.cache_clear()
        yield app.core.db.get_engine()
        app.core.db.shutdown()


@pytest.fixture(scope="module")
def started(engine: Engine) -> Iterator[TestClient]:
    """Yield a client of the application, started as a server would start it."""
    with TestClient(application) as client:
        yield client


@pytest.fixture
def every_connection_returned(engine: Engine) -> Iterator[None]:
    """Fail the test that leaves a connection checked out."""
    yield
    assert isinstance(engine.pool, QueuePool)
    left = engine.pool.checkedout()
    if left:
        engine.dispose()  # or the next test's TRUNCATE would wait for its locks
    assert left == 0


@pytest.fixture
def client(started: TestClient, every_connection_returned: None) -> TestClient:
    """Return a client of the running application; an answer of 500 raises its cause here."""
    started.headers.clear()
    return started


@pytest.fixture
def mail_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[MailServer]:
    """Yield a mail server that the settings name; it keeps what it takes."""
    with MailServer() as server:
        for name, value in server.settings().items():
            monkeypatch.setattr(app.core.db.settings, name, value)
        yield server
