"""The application in this process, on a pool of one connection.

A second connection in a request, or one that was not given back, fails the test that did it.
"""

from collections.abc import Iterator
from functools import partial

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, QueuePool, create_engine
from sqlalchemy.ext.asyncio import create_async_engine

import app.api.deps
import app.core.db
import app.core.sessions
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
        for name, create in (
            ("create_engine", create_engine),
            ("create_async_engine", create_async_engine),
        ):
            patch.setattr(app.core.db, name, partial(create, **ONE_CONNECTION))
        patch.setattr(app.core.db, "application_url", lambda: database.app_url)
        for holder in (app.core.db, app.core.sessions, app.api.deps, AdminContext):
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
    engines = [app.core.db.get_engine()]
    if app.core.db.get_async_engine.cache_info().currsize:
        engines.append(app.core.db.get_async_engine().sync_engine)
    left = [checked_out(engine) for engine in engines]
    if any(left):
        engines[0].dispose()  # or the next test's TRUNCATE would wait for its locks
    assert not any(left)


def checked_out(engine: Engine) -> int:
    """Return how many connections of the engine's pool are in use."""
    assert isinstance(engine.pool, QueuePool)
    return engine.pool.checkedout()


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
