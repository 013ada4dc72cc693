"""What the application role is not granted, because row security does not cover it."""

import pytest
from psycopg import errors
from sqlalchemy import text

from tests.support.databases import Database
from tests.support.ddl import allow_ddl
from tests.support.people import Person
from tests.support.raw import RawConnection, become, connect, visible_items

READ = {"SELECT"}
READ_AND_WRITE = {"SELECT", "INSERT", "UPDATE", "DELETE"}


ITEMS = {"rls_app_user": READ_AND_WRITE, "rls_admin": READ_AND_WRITE, "rls_read_only_admin": READ}
ACCOUNTS = {  # beside these, privileges of columns
    "rls_app_user": {"SELECT", "DELETE"},
    "rls_admin": READ_AND_WRITE - READ,
    "rls_maintenance_admin": READ,
    "rls_sign_in": {"SELECT", "INSERT"},
    "rls_service": {"INSERT"},
}


@pytest.mark.parametrize(("table", "expected"), [("item", ITEMS), ("user", ACCOUNTS)])
def test_grants_are_exact(table: str, expected: dict[str, set[str]], database: Database) -> None:
    """P9: only the owner has TRUNCATE, REFERENCES or TRIGGER, and PUBLIC has nothing."""
    with database.as_owner() as owner:
        rows = owner.execute(
            text(
                "SELECT coalesce(rolname, 'PUBLIC') AS grantee, privilege_type, is_grantable"
                " FROM pg_class, aclexplode(relacl) LEFT JOIN pg_roles r ON r.oid = grantee"
                " WHERE pg_class.oid = CAST(:table AS regclass) AND grantee <> relowner"
            ),
            {"table": f'public."{table}"'},
        ).all()
    granted: dict[str, set[str]] = {}
    for row in rows:
        assert not row.is_grantable
        granted.setdefault(row.grantee, set()).add(row.privilege_type)
    assert granted == expected


def test_columns_of_accounts_are_granted_by_what_they_hold(database: Database) -> None:
    """P52: users never change what admins set, and admins never read a password's hash."""
    with database.as_owner() as owner:
        rows = owner.execute(
            text(
                "SELECT grantee::regrole::text, privilege_type, array_agg(attname::text) AS columns"
                " FROM pg_attribute, aclexplode(attacl)"
                " WHERE attrelid = CAST('\"user\"' AS regclass) GROUP BY 1, 2"
            )
        ).all()
    readable = {"id", "email", "full_name", "is_active", "is_superuser", "created_at"}
    assert {(role, privilege): set(columns) for role, privilege, columns in rows} == {
        ("rls_app_user", "UPDATE"): {"email", "full_name", "hashed_password", "created_at"},
        ("rls_admin", "SELECT"): readable,
        ("rls_read_only_admin", "SELECT"): readable,
    }


def test_the_application_may_create_nothing(connection: RawConnection) -> None:
    for schema in ("public", "rls"):
        row = connection.execute("SELECT has_schema_privilege(%s, 'CREATE')", [schema]).fetchone()
        assert row == (False,)


def test_truncate_is_refused(connection: RawConnection, alice: Person) -> None:
    """P9."""
    become(connection, alice)
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute("TRUNCATE item")


def test_references_and_trigger_are_refused(fresh_database: Database) -> None:
    """P9: not even where the application role may create tables and functions."""
    with fresh_database.as_owner() as owner:
        owner.execute(text("GRANT CREATE ON SCHEMA public TO rls_app_user"))
    allow_ddl(fresh_database)
    with connect(fresh_database.app_url) as connection:
        connection.execute(
            "CREATE FUNCTION peep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'"
        )
        for statement in (
            "CREATE TABLE probe (id uuid REFERENCES item (id))",
            "CREATE TRIGGER peep BEFORE UPDATE ON item FOR EACH ROW EXECUTE FUNCTION peep()",
        ):
            with pytest.raises(errors.InsufficientPrivilege), connection.transaction():
                connection.execute(statement)


def test_copy_from_is_refused(connection: RawConnection, alice: Person) -> None:
    """P27."""
    become(connection, alice)
    with (
        pytest.raises(errors.FeatureNotSupported, match="COPY FROM not supported"),
        connection.cursor() as cursor,
        cursor.copy("COPY item FROM STDIN"),
    ):
        raise AssertionError("PostgreSQL began to read rows that no policy would check")


def test_copy_to_gives_ones_own_rows(connection: RawConnection, alice: Person, bob: Person) -> None:
    become(connection, alice)
    with connection.cursor() as cursor, cursor.copy("COPY item (id) TO STDOUT") as rows:
        copied = {row[0] for row in rows.rows()}
    assert copied == {str(item) for item in alice.items}


@pytest.mark.parametrize("role", ["rls_admin", "rls_read_only_admin"])
def test_the_database_role_alone_gives_no_rows(
    role: str, connection: RawConnection, alice: Person, bob: Person
) -> None:
    become(connection, alice)
    connection.execute(f"SET ROLE {role}")
    assert visible_items(connection) == set()


@pytest.mark.parametrize("role", ["admin", "read_only_admin"])
def test_app_role_alone_gives_ones_own_rows(
    role: str, connection: RawConnection, alice: Person, bob: Person
) -> None:
    become(connection, alice, role)
    assert visible_items(connection) == set(alice.items)


@pytest.mark.parametrize("role", ["admin", "read_only_admin"])
def test_an_admins_two_parts_together_give_all_rows(
    role: str, connection: RawConnection, alice: Person, bob: Person, admin: Person
) -> None:
    become(connection, admin, role)
    connection.execute(f"SET ROLE rls_{role}")
    assert visible_items(connection) == {*alice.items, *bob.items}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE item SET title = 'x'",
        "DELETE FROM item",
        "INSERT INTO item SELECT * FROM item",
        'UPDATE "user" SET is_superuser = true',
    ],
)
def test_the_read_only_admin_is_granted_no_write(
    statement: str, connection: RawConnection, admin: Person
) -> None:
    become(connection, admin, "read_only_admin")
    connection.execute("SET ROLE rls_read_only_admin")
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute(statement)


def test_one_admin_role_does_not_do_for_the_other(
    connection: RawConnection, alice: Person, admin: Person
) -> None:
    become(connection, admin, "read_only_admin")
    connection.execute("SET ROLE rls_admin")
    assert visible_items(connection) == set()


@pytest.mark.parametrize("role", ["postgres", "rls_maintenance_admin"])
def test_no_stronger_role_is_within_reach(role: str, connection: RawConnection) -> None:
    """P1."""
    with pytest.raises(errors.InsufficientPrivilege):
        connection.execute(f"SET ROLE {role}")
