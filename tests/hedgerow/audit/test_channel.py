"""The connections that record: closed with the engine's own, and each process has its own."""

import os

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

import hedgerow
from hedgerow import Identity, Role
from tests.hedgerow.audit.entries import elevations
from tests.hedgerow.audit.ways import IDS, bind_session
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY

COUNTED = {"application_name": "counted"}

_COUNT = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'counted'"
)
# The server takes a moment to notice; a connection that was left open would stay for ever.
_WAIT = text(
    "DO $$ BEGIN WHILE EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
    " AND application_name = 'counted') LOOP PERFORM pg_sleep(0.01);"
    " PERFORM pg_stat_clear_snapshot(); END LOOP; END $$"
)


def connections(database: Database) -> int:
    with database.as_owner() as owner:
        return int(owner.scalars(_COUNT).one())


def assert_none_left(database: Database) -> None:
    with database.as_owner() as owner:
        owner.execute(text("SET LOCAL statement_timeout = '20s'"))
        owner.execute(_WAIT)


def test_they_close_with_the_engines_own(database: Database, alice: Person, admin: Person) -> None:
    engine = create_engine(database.app_url.update_query_dict(COUNTED))
    for _ in range(2):  # an engine can be used again afterwards
        assert bind_session(engine, Identity(admin.id, Role.ADMIN)) == set(alice.items)
        assert connections(database) == 2  # the session's, and the one that recorded
        engine.dispose()
        assert_none_left(database)


async def test_they_close_with_an_asynchronous_engines_own(
    database: Database, alice: Person, admin: Person
) -> None:
    engine = create_async_engine(database.app_url.update_query_dict(COUNTED))
    async with AsyncSession(engine) as session:
        await hedgerow.bind_async(session, Identity(admin.id, Role.ADMIN), ROW_SECURITY)
        assert set(await session.scalars(IDS)) == set(alice.items)
    assert connections(database) == 2
    await engine.dispose()
    assert_none_left(database)


def test_engines_with_other_options_share_them(
    database: Database, alice: Person, admin: Person
) -> None:
    engine = create_engine(database.app_url.update_query_dict(COUNTED))
    for level in ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"):
        other: Engine = engine.execution_options(isolation_level=level)
        assert bind_session(other, Identity(admin.id, Role.ADMIN)) == set(alice.items)
        assert connections(database) == 2
    engine.dispose()
    assert_none_left(database)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork()")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_forked_process_leaves_its_parents_alone(
    database: Database, alice: Person, admin: Person
) -> None:
    """`dispose(close=False)` in the child is what SQLAlchemy tells forking servers to do."""
    engine = create_engine(database.app_url)
    identity = Identity(admin.id, Role.ADMIN)
    assert bind_session(engine, identity) == set(alice.items)
    child = os.fork()
    if child == 0:
        engine.dispose(close=False)
        os._exit(0 if bind_session(engine, identity) == set(alice.items) else 1)
    assert os.waitpid(child, 0)[1] == 0
    # No ping: a connection that the child had closed would fail here.
    assert bind_session(engine, identity) == set(alice.items)
    assert len(elevations(database, admin)) == 3
    engine.dispose()
