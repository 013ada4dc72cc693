"""Every test here works on a database that believes signed identities only."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import URL

from hedgerow.provisioning.functions import create_statements, define_statements
from hedgerow.provisioning.keys import reconcile_functions
from hedgerow.sql import Statement
from tests.hedgerow.signing.support import SIGNED, demand
from tests.support.databases import Database, clone_template, create_empty, drop
from tests.support.raw import RawConnection, connect


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


@pytest.fixture(scope="session")
def text_ids(server: URL, database: Database) -> Iterator[RawConnection]:
    """Yield a connection to a database whose users have free text as ids."""
    empty = create_empty(server)
    with empty.as_owner() as owner:
        for statement in (*create_statements(), *define_statements("text", signed=True)):
            owner.execute(Statement(statement))
        reconcile_functions(owner, replace(SIGNED, id_type="text"))
    with connect(empty.app_url) as connection:
        yield connection
    drop(empty)
