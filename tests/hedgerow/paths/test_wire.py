"""BEGIN and the identity in one flush, on connections that are not as usual."""

import asyncio
import ctypes.util
import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from psycopg import pq
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import Identity, IdentityError
from tests.hedgerow.paths.support import (
    ITEM_IDS,
    WHO,
    async_pool_of_one,
    async_session_of,
    connection_of,
    visible,
)
from tests.support.databases import PROJECT, Database
from tests.support.people import Person
from tests.support.proxy import Proxy
from tests.support.sessions import ROW_SECURITY, one_connection, session_of


def raw(connection: Connection) -> psycopg.Connection[Any]:
    """Return psycopg's own connection."""
    driver_connection = connection.connection.driver_connection
    assert isinstance(driver_connection, psycopg.Connection)
    return driver_connection


def sees_own_items(connection: Connection | Session, person: Person) -> None:
    assert set(connection.scalars(ITEM_IDS)) == set(person.items)


def flights_of_begin(proxy: Proxy, database: Database, person: Person) -> int:
    """Return how many flights it takes until a transaction is this person's."""
    engine = create_engine(proxy.through(database.app_url))
    with connection_of(engine, person) as connection:
        before = proxy.flights
        with connection.begin():
            flights = proxy.flights - before
            assert raw(connection).info.transaction_status == pq.TransactionStatus.INTRANS
            assert raw(connection).info.pipeline_status == pq.PipelineStatus.OFF
            sees_own_items(connection, person)
    engine.dispose()
    return flights


def test_one_flight_begins_and_identifies(
    proxy: Proxy, database: Database, alice: Person, bob: Person
) -> None:
    assert flights_of_begin(proxy, database, alice) == 1


def test_a_libpq_without_pipelines_takes_two(
    proxy: Proxy,
    database: Database,
    alice: Person,
    bob: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Such as libpq 13, with which psycopg itself works."""
    monkeypatch.setattr(psycopg.Pipeline, "is_supported", lambda: False)
    assert flights_of_begin(proxy, database, alice) == 2


def begin_by_hand(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SELECT 1")


def enter_a_pipeline(connection: psycopg.Connection[Any]) -> None:
    connection.pipeline().__enter__()


@pytest.mark.parametrize("prepare", [begin_by_hand, enter_a_pipeline])
def test_a_connection_with_something_under_way(
    prepare: Callable[[psycopg.Connection[Any]], None],
    pool: Engine,
    alice: Person,
    bob: Person,
) -> None:
    """A listener at check-out has used it: the identity follows as a statement of its own."""
    event.listen(pool, "checkout", lambda connection, _record, _proxy: prepare(connection))
    for person in (alice, bob):
        with session_of(pool, person) as session:
            for _ in range(2):
                sees_own_items(session, person)
                session.commit()


@pytest.mark.skipif(ctypes.util.find_library("pq") is None, reason="no libpq is installed")
def test_psycopg_without_its_binary_part(database: Database, alice: Person, bob: Person) -> None:
    program = """
import asyncio, sys
from uuid import UUID
import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import Session
import hedgerow
assert psycopg.pq.__impl__ == "python"
url, *people = sys.argv[1:]
security = hedgerow.RowSecurity()
items = text("SELECT owner_id FROM item")
engine = create_engine(url, pool_size=1, max_overflow=0)
for person in people:
    with Session(engine) as session:
        hedgerow.bind(session, hedgerow.Identity(person), security)
        assert set(session.scalars(items)) == {UUID(person)}
async def main():
    engine = create_async_engine(url, pool_size=1, max_overflow=0)
    for person in people:
        async with AsyncSession(engine) as session:
            await hedgerow.bind_async(session, hedgerow.Identity(person), security)
            assert set(await session.scalars(items)) == {UUID(person)}
    await engine.dispose()
asyncio.run(main())
engine.dispose()
"""
    url = database.app_url.render_as_string(hide_password=False)
    result = subprocess.run(
        [sys.executable, "-c", program, url, str(alice.id), str(bob.id)],
        cwd=PROJECT,
        env={**os.environ, "PSYCOPG_IMPL": "python"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr


def test_uvloop(database: Database, alice: Person, bob: Person) -> None:
    """The event loop of `fastapi run`."""
    uvloop = pytest.importorskip("uvloop", reason="uvloop does not exist for this system")

    async def ask_as_both() -> None:
        async with async_pool_of_one(database.app_url) as engine:
            for person in (alice, bob, alice):
                async with await async_session_of(engine, person) as session:
                    assert await visible(session) == set(person.items)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(ask_as_both())


def test_notices_and_notifications_arrive_beside_the_answer(
    database: Database, alice: Person, bob: Person
) -> None:
    options = {"options": "-c client_min_messages=debug5"}
    engine = one_connection(database, connect_args=options)
    notices: list[str | None] = []
    notifications: list[str] = []
    with engine.connect() as connection:
        raw(connection).add_notice_handler(lambda notice: notices.append(notice.severity))
        raw(connection).add_notify_handler(lambda notify: notifications.append(notify.payload))
        connection.execute(text("LISTEN news"))
        connection.commit()
    with database.as_owner() as owner:
        owner.execute(text("NOTIFY news, 'it rains'"))
    notices.clear()
    with connection_of(engine, alice) as connection:
        with connection.begin():
            assert notices
            sees_own_items(connection, alice)
        sees_own_items(connection, alice)
    assert notifications == ["it rains"]
    with connection_of(engine, bob) as connection:
        sees_own_items(connection, bob)
    engine.dispose()


def test_an_id_with_a_nul_character_does_not_become_another_user(pool: Engine) -> None:
    """P3: libpq would cut it off there."""
    with Session(pool) as session:
        hedgerow.bind(session, Identity("alice\0, not really"), ROW_SECURITY)
        with pytest.raises(IdentityError, match="NUL"):
            session.execute(WHO)


def test_an_id_that_does_not_fit_into_the_sockets_buffer(pool: Engine) -> None:
    name = "long" * 4_000_000
    with Session(pool) as session:
        hedgerow.bind(session, Identity(name), ROW_SECURITY)
        assert session.execute(WHO).one()[0] == name


def test_an_id_beyond_ascii_in_another_client_encoding(database: Database) -> None:
    """P3: its bytes would spell another user there."""
    engine = create_engine(database.app_url, client_encoding="latin1")
    for name in ("Zoë", "ÿ"):
        with Session(engine) as session:
            hedgerow.bind(session, Identity(name), ROW_SECURITY)
            assert session.execute(WHO).one()[0] == name
    with Session(engine) as session:
        hedgerow.bind(session, Identity("雪"), ROW_SECURITY)
        with pytest.raises(IdentityError, match="client_encoding"):
            session.execute(WHO)
    engine.dispose()
