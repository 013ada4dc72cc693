"""An application with a hole, on a database of plain identities and on one of signed ones."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, Engine, text

from app.api.deps import RLSSessionDep
from app.core.rls import row_security as configured_row_security
from app.main import create_app
from hedgerow import RowSecurity, Signing
from hedgerow.provisioning.keys import reconcile_functions
from tests.support.databases import Database, clone_template, drop

signed_only = pytest.mark.parametrize("row_security", ["signed"], indirect=True)
plain_only = pytest.mark.parametrize("row_security", ["plain"], indirect=True)


@pytest.fixture(scope="session", params=["plain", "signed"])
def row_security(request: pytest.FixtureRequest) -> RowSecurity:
    """Return the application's row security, with identities plain or signed."""
    signing = Signing("the secret of this application") if request.param == "signed" else None
    return replace(configured_row_security, signing=signing)


@pytest.fixture(scope="session")
def database(server: URL, row_security: RowSecurity) -> Iterator[Database]:
    """Yield a database that expects what the application sends."""
    database = clone_template(server)
    with database.as_owner() as owner:
        reconcile_functions(owner, row_security)
    yield database
    drop(database)


@pytest.fixture
def vulnerable(engine: Engine, every_connection_returned: None) -> TestClient:
    """Return a client of an application that builds SQL from what it is sent."""
    app = create_app()
    app.add_api_route("/search", _search)
    return TestClient(app, raise_server_exceptions=False)


def _search(session: RLSSessionDep, q: str) -> list[Any]:
    return list(session.execute(text(f"SELECT title FROM item WHERE title = '{q}'")).scalars())
