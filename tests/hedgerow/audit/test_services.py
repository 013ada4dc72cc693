"""What services do is recorded, with or without policies on the table."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, text
from sqlalchemy.exc import DBAPIError

import hedgerow
from hedgerow import Identity, Recorded, exempt
from hedgerow.errors import UNRECORDED_ELEVATION
from tests.hedgerow.policies.playground import Playground
from tests.support.databases import Database
from tests.support.sessions import ROW_SECURITY

WORKER = Identity.service("worker")


@pytest.fixture
def ground(database: Database) -> Iterator[Playground]:
    """Yield a queue without policies, whose changes are recorded."""
    metadata = MetaData()
    queue = Table("queue", metadata, Column("id", Integer, primary_key=True))
    services = {"worker": frozenset({"SELECT", "DELETE"})}
    declared = exempt("a queue", recorded=Recorded(), services=services)  # type: ignore[arg-type]
    hedgerow.declare(queue, declared)
    engine = database.engine()
    with engine.connect() as owner:
        ground = Playground(owner, database, ROW_SECURITY)
        ground.protect(metadata)
        owner.execute(text("INSERT INTO queue VALUES (1), (2)"))
        yield ground
        owner.rollback()
    engine.dispose()


def test_the_services_role_changes_nothing_unrecorded(ground: Playground) -> None:
    """Any transaction of the application's may take it, and there is no policy that would ask."""
    delete = "DELETE FROM queue WHERE id = 1"
    assert ground.attempt(WORKER, delete) == 1
    with ground.acting_as(WORKER) as connection:
        connection.execute(text("SELECT set_config('app.elevation', '', true)"))
        with pytest.raises(DBAPIError) as refused:
            connection.execute(text(delete))
    assert getattr(refused.value.orig, "sqlstate", None) == UNRECORDED_ELEVATION


def test_a_change_is_recorded_with_the_services_name(ground: Playground) -> None:
    with ground.acting_as(WORKER) as connection:
        connection.execute(text("DELETE FROM queue WHERE id = 1"))
        connection.execute(text("RESET ROLE"))
        entry = connection.execute(
            text(
                "SELECT user_id, role, table_name, command FROM rls.audit WHERE event = 'change'"
                " ORDER BY id DESC LIMIT 1"
            )
        ).one()
    assert tuple(entry) == ("worker", "service", "public.queue", "DELETE")
