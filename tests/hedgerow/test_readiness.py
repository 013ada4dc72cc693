"""A database that would not keep users apart stops the start, with the cure in one line."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from sqlalchemy import URL, text
from sqlmodel import SQLModel

import app.models  # noqa: F401  (defines the tables)
from hedgerow import DatabaseNotReadyError, RowSecurity
from hedgerow.readiness import verify
from hedgerow.signing import Signing
from tests.support.databases import Database


def complaint(
    database: Database, url: URL | None = None, row_security: RowSecurity | None = None
) -> str:
    with pytest.raises(DatabaseNotReadyError) as caught:
        verify(
            database.engine(url or database.app_url),
            SQLModel.metadata,
            row_security or RowSecurity(),
        )
    message = str(caught.value)
    assert "\n" not in message
    return message


def run_as_owner(database: Database, *statements: str) -> None:
    with database.as_owner() as owner:
        for statement in statements:
            owner.execute(text(statement))


def test_the_migrated_database_is_ready(database: Database) -> None:
    verify(database.engine(database.app_url), SQLModel.metadata, RowSecurity())


def test_a_superuser_is_too_strong(database: Database) -> None:
    """P1."""
    said = complaint(database, database.owner_url)
    assert "a superuser, to whom no policy applies" in said
    assert "connect as 'rls_app_user' (RLS_APP_USER)" in said


def test_bypassrls_is_too_strong(database: Database) -> None:
    """P1."""
    assert "a role with BYPASSRLS" in complaint(database, database.maintenance_url)


@pytest.fixture
def inheriting(fresh_database: Database) -> Iterator[URL]:
    name = f"inheriting_{uuid4().hex[:10]}"
    run_as_owner(
        fresh_database,
        f"CREATE ROLE {name} LOGIN PASSWORD 'changethis' IN ROLE rls_app_user, rls_admin",
    )
    yield fresh_database.owner_url.set(username=name, password="changethis")
    run_as_owner(fresh_database, f"DROP ROLE {name}")


def test_an_inherited_admin_role_is_too_strong(fresh_database: Database, inheriting: URL) -> None:
    """P2."""
    said = complaint(fresh_database, inheriting)
    assert "inherits 'rls_admin'" in said
    assert "`alembic upgrade head`" in said


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("ALTER TABLE item DISABLE ROW LEVEL SECURITY", "is not what RLS_ENABLED and RLS_FORCE"),
        ("ALTER TABLE item FORCE ROW LEVEL SECURITY", "is not what RLS_ENABLED and RLS_FORCE"),
        ("ALTER TABLE item OWNER TO rls_app_user", "owns table 'item'"),
        ("DROP TABLE item", "Table 'item' is missing"),
    ],
)
def test_a_table_that_is_not_protected(
    statement: str, expected: str, fresh_database: Database
) -> None:
    """P1, P37."""
    run_as_owner(fresh_database, statement)
    assert expected in complaint(fresh_database)


def test_a_table_without_policies(fresh_database: Database) -> None:
    with fresh_database.as_owner() as owner:
        for policy in owner.scalars(text("SELECT polname FROM pg_policy")).all():
            owner.execute(text(f"DROP POLICY {policy} ON item"))
    assert "Table 'item' has no policy: run `alembic upgrade head`" in complaint(fresh_database)


@pytest.mark.parametrize("row_security", [RowSecurity(enabled=False), RowSecurity(force=True)])
def test_settings_that_the_database_does_not_follow_yet(
    row_security: RowSecurity, database: Database
) -> None:
    said = complaint(database, row_security=row_security)
    assert "run `alembic upgrade head`" in said


def test_switched_off_on_purpose_is_ready(fresh_database: Database) -> None:
    run_as_owner(fresh_database, "ALTER TABLE item DISABLE ROW LEVEL SECURITY")
    verify(
        fresh_database.engine(fresh_database.app_url),
        SQLModel.metadata,
        RowSecurity(enabled=False),
    )


def test_a_secret_that_the_database_does_not_know(database: Database) -> None:
    said = complaint(database, row_security=RowSecurity(signing=Signing("x" * 40)))
    assert "RLS_CONTEXT_SECRET" in said


def test_an_empty_database(empty_database: Database) -> None:
    assert "Table 'item' is missing: run `alembic upgrade head`" in complaint(empty_database)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"port": 1}, "refused"),
        ({"password": "not-it"}, "password authentication failed"),
        ({"database": "no_such_database"}, "does not exist"),
    ],
)
def test_a_failed_connection(change: dict[str, str | int], reason: str, database: Database) -> None:
    url = database.app_url
    said = complaint(
        database,
        url.set(
            port=int(change.get("port", url.port or 5432)),
            password=str(change.get("password", url.password)),
            database=str(change.get("database", url.database)),
        ),
    )
    assert "Cannot connect to PostgreSQL as 'rls_app_user'" in said
    assert reason in said
    assert "alembic upgrade head" in said
    assert "not-it" not in said
