"""The revision that scopes accounts, on a database of before with users and items."""

from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from tests.app.api.support import stored
from tests.migrations.test_offline import run_psql
from tests.support.databases import Database, run_alembic
from tests.support.people import Person, add_person
from tests.support.raw import RawConnection, become, connect, visible_items

BEFORE = "4febd3900f63"


def migrate(database: Database, *command: str) -> str:
    result = run_alembic(database, *command)
    assert result.returncode == 0, result.stderr
    return str(result.stdout)


def forget_functions(database: Database) -> None:
    """Drop the functions that the version of before did not define."""
    with database.as_owner() as owner:
        names = ("sign_in", "service", "tenant_id", "claim")
        owner.execute(text(f"DROP FUNCTION {', '.join(f'rls.{name}' for name in names)}"))


def accounts(connection: RawConnection) -> set[str]:
    return {str(row[0]) for row in connection.execute('SELECT email FROM "user"').fetchall()}


def assert_open(database: Database, alice: Person) -> None:
    """As it was before: signing in reads the whole table."""
    with connect(database.app_url) as connection:
        assert len(accounts(connection)) == 3
        become(connection, alice)
        assert visible_items(connection) == set(alice.items)


def test_accounts_are_kept_scoped_and_open_again(fresh_database: Database) -> None:
    database = fresh_database
    migrate(database, "downgrade", BEFORE)
    alice, _ = add_person(database, "alice"), add_person(database, "bob")
    admin = add_person(database, "admin", superuser=True)
    forget_functions(database)
    before = stored(database)
    assert_open(database, alice)

    migrate(database, "upgrade", "head")
    migrate(database, "check")
    assert stored(database) == before
    with connect(database.app_url) as connection:
        become(connection, alice)
        assert accounts(connection) == {alice.email}
        assert visible_items(connection) == set(alice.items)
    for person in (alice, admin):  # each signs in, by the address
        with connect(database.app_url) as connection:
            connection.execute(f"SET app.user_id = '{person.email}'")
            connection.execute("SET app.role = 'sign_in'")
            connection.execute("SET ROLE rls_sign_in")
            found = connection.execute('SELECT id, hashed_password FROM "user"').fetchall()
            assert found == [(person.id, "none")]
    with connect(database.app_url) as connection:
        become(connection, admin, "admin")
        connection.execute("SET ROLE rls_admin")
        assert len(accounts(connection)) == 3
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute('SELECT hashed_password FROM "user"')

    migrate(database, "downgrade", BEFORE)
    assert stored(database) == before
    assert_open(database, alice)
    with database.as_owner() as owner:
        kept = owner.scalars(text("SELECT DISTINCT role FROM rls.audit")).all()
    assert kept == ["admin"]


def test_a_script_upgrades_a_database_of_before(fresh_database: Database, tmp_path: Path) -> None:
    database = fresh_database
    migrate(database, "downgrade", BEFORE)
    forget_functions(database)
    script = tmp_path / "upgrade.sql"
    script.write_text(migrate(database, "upgrade", f"{BEFORE}:head", "--sql"), encoding="utf-8")
    run_psql(database.owner_url, script)
    migrate(database, "check")
