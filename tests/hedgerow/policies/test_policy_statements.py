"""Which policies a scoped table gets, how they are spelled, and that the database holds those."""

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Column, MetaData, Table, Uuid, text

from hedgerow import Policy, RoleNames, Scope
from hedgerow.policies.policy import create_policy_statement, drop_policy_statement
from hedgerow.policies.standard import admin_policies, recording_policies, user_policies
from tests.support.databases import Database
from tests.support.raw import connect

ROLES = RoleNames()


def all_policies(
    table: str, owner_column: str = "owner_id", schema: str | None = None
) -> tuple[Policy, ...]:
    declared = Table(table, MetaData(), Column(owner_column, Uuid), schema=schema)
    return (
        *user_policies(declared, Scope(owner_column)),
        *admin_policies(table),
        *recording_policies(table, schema),
    )


def test_the_item_table_enforces_its_policies(database: Database) -> None:
    """P37."""
    with connect(database.app_url) as connection:
        row = connection.execute(
            "SELECT relrowsecurity, relforcerowsecurity FROM pg_class WHERE relname = 'item'"
        ).fetchone()
    assert row == (True, False)


def test_the_item_table_has_exactly_these_policies(database: Database) -> None:
    owns = "(owner_id = ( SELECT rls.user_id() AS user_id))"
    admin = "( SELECT (rls.role() = 'admin'::text))"
    reader = "( SELECT (rls.role() = 'read_only_admin'::text))"
    recorded = {
        command: f"( SELECT rls.record_write('item'::regclass, '{command}'::text) AS record_write)"
        for command in ("DELETE", "INSERT", "UPDATE")
    }
    with connect(database.app_url) as connection:
        rows = connection.execute(
            "SELECT policyname, permissive, cmd, roles::text[], qual, with_check"
            " FROM pg_policies WHERE tablename = 'item' ORDER BY policyname"
        ).fetchall()
    app = ["rls_app_user"]
    assert rows == [
        ("item_admin", "PERMISSIVE", "ALL", ["rls_admin"], admin, admin),
        *(
            (
                f"item_admin_{command.lower()}_is_recorded",
                "RESTRICTIVE",
                command,
                ["rls_admin"],
                None if command == "INSERT" else condition,
                {"INSERT": condition, "UPDATE": "true"}.get(command),
            )
            for command, condition in recorded.items()
        ),
        ("item_owner_delete", "PERMISSIVE", "DELETE", app, owns, None),
        ("item_owner_insert", "PERMISSIVE", "INSERT", app, None, owns),
        ("item_owner_select", "PERMISSIVE", "SELECT", app, owns, None),
        ("item_owner_update", "PERMISSIVE", "UPDATE", app, owns, owns),
        ("item_read_only_admin", "PERMISSIVE", "SELECT", ["rls_read_only_admin"], reader, None),
    ]


def test_the_literal_migration_makes_what_the_model_declares(fresh_database: Database) -> None:
    """P38: both are read back from the server, so that only meaning counts."""
    read = text(
        "SELECT policyname, permissive, cmd, roles::text, qual, with_check"
        " FROM pg_policies WHERE tablename = 'item' ORDER BY policyname"
    )
    with fresh_database.as_owner() as owner:
        migrated = owner.execute(read).all()
        for policy in all_policies("item"):
            owner.execute(text(drop_policy_statement(policy.name, "item", None)))
            owner.execute(text(create_policy_statement(policy, "item", None, ROLES)))
        assert owner.execute(read).all() == migrated


def test_every_part_is_spelled() -> None:
    policy = Policy(
        "p", "UPDATE", ("rls_app_user", "PUBLIC"), using="a", with_check="b", permissive=False
    )
    statement = create_policy_statement(policy, "t", "s", RoleNames(app="web"))
    assert statement == (
        "CREATE POLICY p ON s.t AS RESTRICTIVE FOR UPDATE TO web, PUBLIC USING (a) WITH CHECK (b)"
    )


@pytest.mark.parametrize(
    ("table", "schema", "owner_column", "role"),
    [
        ("select", None, "order", "user"),
        ("Mixed Case", "Other Schema", "Owner Id", "Web App"),
        ('with "quotes"', None, 'the "owner"', 'role "r"'),
        ("naïve", "schéma", "propriétaire", "rôle"),
    ],
)
def test_unusual_names_are_quoted(
    fresh_database: Database, table: str, schema: str | None, owner_column: str, role: str
) -> None:
    """P41: PostgreSQL takes them, and finds the policies under the names that were meant."""
    deployed = RoleNames(app=role)
    quote = psycopg.sql.Identifier
    place = quote(schema, table) if schema else quote(table)
    with connect(fresh_database.owner_url) as owner:  # rolled back, roles and all
        owner.execute(psycopg.sql.SQL("CREATE ROLE {}").format(quote(role)))
        if schema:
            owner.execute(psycopg.sql.SQL("CREATE SCHEMA {}").format(quote(schema)))
        owner.execute(
            psycopg.sql.SQL("CREATE TABLE {} ({} uuid)").format(place, quote(owner_column))
        )
        policies = all_policies(table, owner_column, schema)
        for policy in policies:
            statement = create_policy_statement(policy, table, schema, deployed)
            owner.execute(statement.encode())
        rows = owner.execute(
            "SELECT policyname FROM pg_policies WHERE tablename = %s AND schemaname = %s",
            [table, schema or "public"],
        ).fetchall()
        assert {name for (name,) in rows} == {policy.name for policy in policies}
        for policy in policies:
            owner.execute(drop_policy_statement(policy.name, table, schema).encode())


@given(table=st.text(st.characters(exclude_characters="\0", codec="utf-8"), min_size=1))
def test_policy_names_fit_and_differ(table: str) -> None:
    """PostgreSQL cuts names at 63 bytes silently, which would make two policies one."""
    names = [policy.name for policy in all_policies(table)]
    assert all(len(name.encode()) <= 63 for name in names)
    assert len(set(names)) == len(names)


def test_long_tables_that_begin_alike_get_different_policy_names() -> None:
    one = all_policies("t" * 62 + "a")
    other = all_policies("t" * 62 + "b")
    assert not {policy.name for policy in one} & {policy.name for policy in other}
