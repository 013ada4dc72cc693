"""An engine whose transactions are READ ONLY, on the pool of one whose transactions are not."""

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import Identity, read_only
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY

MODE = text("SHOW transaction_read_only")
UPDATE = text("UPDATE item SET title = 'new'")
ONE_CONNECTION = {"pool_size": 1, "max_overflow": 0}


def look(session: Session, person: Person | None) -> list[str]:
    """Return the mode of two transactions."""
    if person:
        hedgerow.bind(session, Identity(person.id), ROW_SECURITY)
    modes = []
    for _ in range(2):
        modes.append(session.scalar(MODE))
        session.commit()
    return modes


def test_each_transaction_is_read_only_and_the_pools_others_are_not(
    database: Database, alice: Person
) -> None:
    """With an identity, whose BEGIN is our own, and without one, where the driver sends it."""
    engine = create_engine(database.app_url, **ONE_CONNECTION)
    reading = read_only(engine)
    for person in (alice, None):
        with Session(reading) as session:
            assert look(session, person) == ["on", "on"]
            with pytest.raises(DBAPIError, match="cannot execute UPDATE in a read-only"):
                session.execute(UPDATE)
        with Session(engine) as session:
            assert look(session, person) == ["off", "off"]
    engine.dispose()


async def test_an_asynchronous_engine(database: Database, alice: Person) -> None:
    engine = create_async_engine(database.app_url, **ONE_CONNECTION)
    reading = read_only(engine)
    for person in (alice, None):
        async with AsyncSession(reading) as session:
            assert await session.run_sync(look, person) == ["on", "on"]
        async with AsyncSession(engine) as session:
            assert await session.run_sync(look, person) == ["off", "off"]
    await engine.dispose()


def _planned_downtime(engine: Engine) -> None:
    with engine.connect() as connection:
        connection.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY"))
        connection.commit()


def test_what_the_server_has_as_its_default_holds_for_the_others(database: Database) -> None:
    """A BEGIN READ WRITE would go past it, and a standby would refuse that."""
    engine = create_engine(database.app_url, **ONE_CONNECTION)
    reading = read_only(engine)
    _planned_downtime(engine)
    for one in (reading, engine):
        with one.connect() as connection:
            assert connection.scalar(MODE) == "on"
    engine.dispose()
