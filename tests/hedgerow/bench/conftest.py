"""The database of a test, always a copy: what is measured here are changed schemas."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from tests.hedgerow.bench.support import fill
from tests.support.databases import Database, clone_template, drop


@pytest.fixture(scope="module")
def good(server: URL) -> Iterator[Database]:
    """Yield a database with rows in it, as it was migrated."""
    database = clone_template(server)
    fill(database)
    yield database
    drop(database)
