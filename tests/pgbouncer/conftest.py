"""Every test here runs through PgBouncer, with plain identities and with signed ones."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from hedgerow import RowSecurity
from tests.hedgerow.signing.support import PLAIN, SIGNED, demand
from tests.pgbouncer.pgbouncer import PgBouncer, find_executable
from tests.support.databases import Database, clone_template, drop


@pytest.fixture(scope="session", params=[PLAIN, SIGNED], ids=["plain", "signed"])
def row_security(request: pytest.FixtureRequest) -> RowSecurity:
    """Return how identities are sent."""
    row_security: RowSecurity = request.param
    return row_security


@pytest.fixture(scope="session")
def database(server: URL, row_security: RowSecurity) -> Iterator[Database]:
    """Yield a database of this folder's that believes such identities."""
    database = clone_template(server)
    demand(database, row_security)
    yield database
    drop(database)


@pytest.fixture(scope="session")
def pooler(database: Database) -> Iterator[PgBouncer]:
    """Yield a PgBouncer in front of the database, for the application role."""
    with PgBouncer(find_executable(), database.owner_url, database.app_url) as pooler:
        yield pooler


@pytest.fixture
def anyio_backend() -> str:
    """Return the backend that SQLAlchemy works with: it knows no trio."""
    return "asyncio"
