"""The tables of support.py, in a database of their own for each module."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from hedgerow import sql
from tests.hedgerow.why.support import METADATA, SET_UP
from tests.support.databases import Database, clone_template, drop


@pytest.fixture(scope="module")
def tables(server: URL) -> Iterator[Database]:
    own = clone_template(server)
    with own.as_owner() as owner:
        for statement in SET_UP:
            owner.execute(sql.Statement(statement))
        for table in METADATA.tables:
            name = sql.name(table)
            owner.execute(sql.Statement(f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"))
            owner.execute(
                sql.Statement(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO rls_app_user")
            )
    yield own
    drop(own)
