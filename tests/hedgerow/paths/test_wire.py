"""BEGIN and the identity in one flush, also on connections that are not as usual."""

from typing import Any, NoReturn

import psycopg
import pytest
from psycopg import pq
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from hedgerow import guard
from hedgerow.sessions import pipeline
from tests.hedgerow.paths.support import (
    BACKEND,
    ITEM_IDS,
    connection_of,
)
from tests.support.databases import Database
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


def test_a_guarded_connection_is_cleaned_in_the_same_flight(
    proxy: Proxy, database: Database, alice: Person, bob: Person
) -> None:
    """P56: BEGIN, the statement and COMMIT, with an identity and without."""
    engine = guard(create_engine(proxy.through(database.app_url)), ROW_SECURITY)
    for session in (session_of(engine, alice), Session(engine)):
        with session:
            session.connection()  # the first of its pool asks more
            session.rollback()
            before = proxy.flights
            session.execute(BACKEND)
            session.commit()
            assert proxy.flights - before == 3
    engine.dispose()


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


def test_a_connection_in_a_transaction(pool: Engine, alice: Person, bob: Person) -> None:
    """A listener at check-out has used it: the identity follows as a statement of its own."""
    notices: list[str | None] = []

    @event.listens_for(pool, "checkout")
    def use(connection: psycopg.Connection[Any], *_: object) -> None:
        connection.add_notice_handler(lambda notice: notices.append(notice.message_primary))
        connection.execute("SELECT 1")

    for person in (alice, bob):
        with session_of(pool, person) as session:
            for _ in range(2):
                sees_own_items(session, person)
                session.commit()
    assert notices == []  # such as: there is already a transaction in progress


def test_a_connection_in_a_pipeline(pool: Engine, alice: Person, bob: Person) -> None:
    """SQLAlchemy can only write there."""
    with connection_of(pool, alice) as connection:
        with raw(connection).pipeline():
            connection.execute(text("DELETE FROM item"))
            assert raw(connection).info.pipeline_status == pq.PipelineStatus.ON
            connection.commit()
        assert connection.scalars(ITEM_IDS).all() == []
    with connection_of(pool, bob) as connection:
        sees_own_items(connection, bob)


@pytest.mark.parametrize("error", [psycopg.InternalError, MemoryError])
def test_whatever_goes_wrong_in_the_middle_the_connection_is_not_used_again(
    error: type[Exception],
    pool: Engine,
    alice: Person,
    bob: Person,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_connection: object) -> NoReturn:
        raise error

    with session_of(pool, bob) as session:
        backend = session.scalar(BACKEND)
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "_next_result", fail)
        with session_of(pool, bob) as session, pytest.raises((DBAPIError, MemoryError)):
            sees_own_items(session, bob)
    with session_of(pool, alice) as session:
        sees_own_items(session, alice)
        assert session.scalar(BACKEND) != backend


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
