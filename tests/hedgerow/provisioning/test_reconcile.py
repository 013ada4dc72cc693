"""Bringing ENABLE and FORCE to the settings alters what differs, and nothing else."""

from dataclasses import replace

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, Uuid, text
from sqlalchemy.orm import registry
from sqlmodel import SQLModel

import app.models  # noqa: F401  (defines the tables)
from hedgerow import Scope
from hedgerow.catalogs.tables import tables_by_name
from hedgerow.provisioning.switches import reconcile
from tests.support.databases import Database
from tests.support.sessions import ROW_SECURITY


def altered(connection: Connection) -> bool:
    """Return whether this transaction has altered the item table."""
    return bool(
        connection.scalar(
            text(
                "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()"
                " AND relation = 'public.item'::regclass AND mode = 'AccessExclusiveLock'"
            )
        )
    )


def state_of(connection: Connection, name: str = "item") -> tuple[bool, bool, int] | None:
    """Return whether a table's row security is enabled and forced, and how many policies it has."""
    table = tables_by_name(connection, [name]).get(name)
    return (table.enabled, table.forced, table.policies) if table else None


@pytest.mark.parametrize("enabled", [True, False])
@pytest.mark.parametrize("force", [True, False])
def test_the_switches_are_what_the_settings_say(
    enabled: bool, force: bool, database: Database
) -> None:
    wanted = replace(ROW_SECURITY, enabled=enabled, force=force)
    with database.engine().connect() as owner:  # rolled back
        reconcile(owner, SQLModel.metadata, wanted)
        assert state_of(owner) == (enabled, force, 9)
        reconcile(owner, SQLModel.metadata, ROW_SECURITY)
        assert state_of(owner) == (True, False, 9)


def test_what_is_right_is_left_alone(database: Database) -> None:
    """ALTER TABLE would wait for every reader, and have every reader wait."""
    with database.engine().connect() as owner:
        reconcile(owner, SQLModel.metadata, ROW_SECURITY)
        assert not altered(owner)
        reconcile(owner, SQLModel.metadata, replace(ROW_SECURITY, force=True))
        assert altered(owner)


def test_a_table_without_policies_is_left_alone(database: Database) -> None:
    """Enabled without policies it would hide every row."""
    with database.engine().connect() as owner:
        owner.execute(text("ALTER TABLE item DISABLE ROW LEVEL SECURITY"))
        for policy in owner.scalars(
            text("SELECT polname FROM pg_policy WHERE polrelid = 'item'::regclass")
        ).all():
            owner.execute(text(f"DROP POLICY {policy} ON item"))
        reconcile(owner, SQLModel.metadata, replace(ROW_SECURITY, force=True))
        assert state_of(owner) == (False, False, 0)


def test_a_missing_table_is_left_to_its_migration(database: Database) -> None:
    with database.engine().connect() as owner:
        owner.execute(text("DROP TABLE item"))
        reconcile(owner, SQLModel.metadata, ROW_SECURITY)
        assert state_of(owner) is None


def test_unusual_names(database: Database) -> None:
    """P41."""
    metadata = MetaData()
    table = Table(
        'Order % "Lines"',
        metadata,
        Column("id", Integer, primary_key=True),
        Column("owner_id", Uuid),
        schema="Select",
    )
    lines = type("Lines", (), {"__rls__": Scope()})
    registry(metadata=metadata).map_imperatively(lines, table)
    with database.engine().connect() as owner:
        owner.execute(text('CREATE SCHEMA "Select"'))
        metadata.create_all(owner)
        owner.execute(text('CREATE POLICY p ON "Select"."Order % ""Lines""" USING (true)'))
        reconcile(owner, metadata, replace(ROW_SECURITY, force=True))
        state = state_of(owner, '"Select"."Order % ""Lines"""')
    assert state == (True, True, 1)
