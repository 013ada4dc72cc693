"""Fixtures for a folder whose tests all run twice: with row security on, and with it off.

The application answers the same, because crud and routes check ownership as well.
"""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import URL

from hedgerow import RowSecurity
from tests.support.databases import Database, clone_template, drop, run_alembic

only_with_row_security = pytest.mark.parametrize(
    "row_security", [True], indirect=True, ids=["rls-on"]
)
"""For a test of what PostgreSQL alone refuses."""


@pytest.fixture(scope="session", params=[True, False], ids=["rls-on", "rls-off"])
def row_security(request: pytest.FixtureRequest) -> RowSecurity:
    """Return the application's row security, on or off."""
    from app.core import rls

    return replace(rls.row_security, enabled=request.param)


@pytest.fixture(scope="session")
def disabled_database(server: URL) -> Iterator[Database]:
    """Yield a database that the real command brought to RLS_ENABLED=false."""
    database = clone_template(server)
    result = run_alembic(database, "upgrade", "head", settings={"RLS_ENABLED": "false"})
    assert result.returncode == 0, result.stderr
    yield database
    drop(database)


@pytest.fixture(scope="session")
def database(
    request: pytest.FixtureRequest, database: Database, row_security: RowSecurity
) -> Database:
    """Return the worker's database, or its second one where row security is off."""
    if row_security.enabled:
        return database
    disabled: Database = request.getfixturevalue("disabled_database")
    return disabled
