"""Tables of every shape and with every name: a key of many columns or of none, names with quotes.

Each example is made by the owner in a transaction that is rolled back.
"""

from collections.abc import Iterator

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from psycopg import sql

from hedgerow import RoleNames
from hedgerow.audit.triggers import create_trigger_statement, read_arguments
from hedgerow.config.audit import AuditTrigger
from tests.support.databases import Database
from tests.support.elevation import record_elevation
from tests.support.raw import RawConnection, connect

ADMIN = "00000000-0000-0000-0000-00000000000a"
NAMES = (
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
    | st.text("a\"\\{},' %:ÄNULL", min_size=1)
).filter(lambda name: len(name.encode()) <= 63)


@pytest.fixture(scope="module")
def owner(database: Database) -> Iterator[RawConnection]:
    with connect(database.owner_url) as connection:
        yield connection


def recorded(
    owner: RawConnection, table: str, columns: list[str], trigger: AuditTrigger
) -> tuple[object, ...]:
    """Insert a row of 'v's into a table as an admin; return what the trail says of it."""
    name = sql.Identifier(table)
    identity = {"app.user_id": ADMIN, "app.role": "admin"}
    elevation = record_elevation(owner, identity)
    with owner.transaction(force_rollback=True):
        definitions = sql.SQL(", ").join(
            sql.SQL("{} text").format(sql.Identifier(column)) for column in columns
        )
        owner.execute(sql.SQL("CREATE SCHEMA odd; SET LOCAL search_path = odd"))
        owner.execute(sql.SQL("CREATE TABLE {} ({})").format(name, definitions))
        owner.execute(sql.SQL("GRANT USAGE ON SCHEMA odd TO rls_admin"))
        owner.execute(sql.SQL("GRANT ALL ON {} TO rls_admin").format(name))
        statement = create_trigger_statement(trigger, table, "odd", RoleNames())
        owner.execute(statement.encode())
        arguments = owner.execute(
            "SELECT tgargs FROM pg_trigger WHERE tgname = 'rls_audit' AND tgrelid = %s::regclass",
            [f"odd.{name.as_string(owner)}"],
        ).fetchone()
        assert arguments is not None
        assert isinstance(arguments[0], bytes)
        assert read_arguments(arguments[0]) == trigger
        for setting, value in {**identity, "app.elevation": elevation, "role": "rls_admin"}.items():
            owner.execute("SELECT set_config(%s, %s, true)", [setting, value])
        values = sql.SQL(", ").join(sql.SQL("'v'") for _ in columns)
        owner.execute(sql.SQL("INSERT INTO {} VALUES ({})").format(name, values))
        owner.execute("RESET ROLE")
        row = owner.execute(
            "SELECT table_name = 'odd.' || quote_ident(%s), row_key, owner, tenant, columns,"
            " changes FROM rls.audit WHERE transaction = pg_current_xact_id()",
            [table],
        ).fetchone()
    assert row is not None
    return row


@given(table=NAMES, columns=st.lists(NAMES, min_size=5, max_size=5, unique=True))
@example(table='Order % "Lines"', columns=["Key", 'the "id"', "owner's", "\\", "of %s"])
@example(table="select", columns=["NULL", "{}", ",", "user", "null"])
def test_names(table: str, columns: list[str], owner: RawConnection) -> None:
    """P41."""
    first, second, whose, value, of = columns
    trigger = AuditTrigger((first, second), whose, (value,), of)
    named, key, owned_by, tenant, changed, values = recorded(owner, table, columns, trigger)
    assert named
    assert key == {first: "v", second: "v"}
    assert (owned_by, tenant) == ("v", "v")
    assert isinstance(changed, list)
    assert set(changed) == set(columns)
    assert values == {value: [None, "v"]}


def test_a_table_without_a_primary_key_or_an_owner(owner: RawConnection) -> None:
    trigger = AuditTrigger((), None)
    assert recorded(owner, "loose", ["note"], trigger) == (True, None, None, None, ["note"], None)


def test_everything_is_rolled_back(owner: RawConnection) -> None:
    row = owner.execute("SELECT to_regnamespace('odd') IS NULL").fetchone()
    assert row == (True,)
