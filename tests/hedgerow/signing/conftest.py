"""Every test here works on a database that believes signed identities only."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from tests.hedgerow.signing.support import SIGNED, demand
from tests.support.databases import Database, clone_template, drop


@pytest.fixture(scope="session")
def database(server: URL) -> Iterator[Database]:
    """Yield a database of this folder's, in place of the worker's, which takes plain identities."""
    database = clone_template(server)
    demand(database, SIGNED)
    yield database
    drop(database)


@pytest.fixture
def fresh_signed_database(fresh_database: Database) -> Database:
    """Return a copy for a test that changes more than rows."""
    demand(fresh_database, SIGNED)
    return fresh_database


@pytest.fixture(scope="session")
def plain_database(server: URL) -> Iterator[Database]:
    """Yield a database that takes plain identities, for the negative controls."""
    database = clone_template(server)
    yield database
    drop(database)
