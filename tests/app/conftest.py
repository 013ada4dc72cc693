"""The application in this process, on a pool of one connection.

A second connection in a request, or one that was not given back, fails the test that did it.

What belongs to the application is imported inside the fixtures: given a path below this folder,
pytest reads this file before the settings know the tests' database, and would make them with a
developer's own.
"""

import sys
from collections.abc import Iterator

import pytest
from fastapi.testclient import TestClient
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import Engine, QueuePool, text

from hedgerow import RowSecurity
from tests.app.mail_server import MailServer
from tests.support.databases import Database

# A crowd takes turns, slowly on a busy machine; a request that takes two waits this long to fail.
ONE_CONNECTION = {"pool_size": 1, "max_overflow": 0, "pool_timeout": 20}

_END_REQUESTS = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE datname = current_database() AND usename = :role"
)


@pytest.fixture(scope="session")
def row_security() -> RowSecurity:
    """Return what the application is to believe; a folder may override it, with `database`."""
    from app.core.rls import row_security

    return row_security


@pytest.fixture(scope="module")
def engine(database: Database, row_security: RowSecurity) -> Iterator[Engine]:
    """Yield the application's own engine, but on `database` and with one connection at most."""
    import app.core.db
    import app.core.project
    import app.main
    from app.core import security
    from app.core.rls import AdminContext

    holders = [
        module
        for name, module in sys.modules.items()
        if name.startswith("app.") and hasattr(module, "row_security")
    ]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(security, "_password_hash", quick(security._password_hash))
        security.dummy_hash.cache_clear()  # the one of a costly hash
        patch.setattr(app.core.db, "POOL", ONE_CONNECTION)
        patch.setattr(app.core.db, "application_url", lambda: database.app_url)
        for holder in (*holders, AdminContext):
            patch.setattr(holder, "row_security", row_security)
        app.core.db.shutdown()  # what tests elsewhere have opened
        yield app.core.db.get_engine()
        app.core.db.shutdown()


def quick(password_hash: PasswordHash) -> PasswordHash:
    """Return the same but for what a hash costs, which is much by design."""
    return PasswordHash(
        (Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1), *password_hash.hashers[1:])
    )


@pytest.fixture(scope="module")
def started(engine: Engine) -> Iterator[TestClient]:
    """Yield a client of the application, started as a server would start it."""
    from app.main import app as application

    with TestClient(application) as client:
        yield client


@pytest.fixture
def every_connection_returned(engine: Engine, database: Database) -> Iterator[None]:
    """Fail the test that leaves a connection checked out."""
    from app.core.db import get_async_engine, get_engine

    yield
    engines = [get_engine()]
    if get_async_engine.cache_info().currsize:
        engines.append(get_async_engine().sync_engine)
    left = [checked_out(engine) for engine in engines]
    if any(left):
        # Or the next test would wait for the locks of its transaction.
        with database.as_owner() as connection:
            connection.execute(_END_REQUESTS, {"role": database.app_url.username})
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
    from app.core.config import settings

    with MailServer() as server:
        for name, value in server.settings().items():
            monkeypatch.setattr(settings, name, value)
        yield server
