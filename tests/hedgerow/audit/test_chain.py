"""Many admins at once: one chain without gaps, and none waits for another's transaction."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import Engine, RowMapping, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from hedgerow import Role
from hedgerow.audit.trail import Event
from tests.hedgerow.audit.entries import changes, entries
from tests.hedgerow.audit.support import check
from tests.support.databases import Database
from tests.support.people import Person, add_person
from tests.support.sessions import session_of

ADMINS = 20
ROUNDS = 3
SERIALIZATION_FAILURE = "40001"
CHANGE = text("UPDATE item SET title = title || '.' WHERE id = :id")


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    """Yield an engine on which a wait for a lock is an error."""
    url = database.app_url.update_query_dict({"options": "-c lock_timeout=10s"})
    engine = create_engine(url, pool_size=ADMINS)
    yield engine
    engine.dispose()


def change(session: Session, item: object) -> None:
    session.execute(CHANGE, {"id": item})


def assert_whole(database: Database) -> None:
    """Assert that the chain verifies, has no gap and leaves nothing out."""
    verification = check(database)
    assert verification.faults == ()
    positions = [entry["position"] for entry in entries(database)]
    assert sorted(positions) == list(range(1, len(positions) + 1))


def test_concurrent_admins_make_one_chain(
    database: Database, engine: Engine, admin: Person
) -> None:
    owners = [add_person(database, f"owner{number}") for number in range(ADMINS)]
    together = Barrier(ADMINS)

    def work(number: int) -> None:
        together.wait()
        for round_ in range(ROUNDS):
            with session_of(engine, admin, Role.ADMIN) as session:
                for item in owners[number].items:
                    change(session, item)
                if round_ == 1:
                    session.rollback()
                else:
                    session.commit()

    with ThreadPoolExecutor(ADMINS) as threads:
        for done in [threads.submit(work, number) for number in range(ADMINS)]:
            done.result()
    assert len(changes(database, admin)) == ADMINS * (ROUNDS - 1) * 2
    recorded = entries(database, event=Event.ELEVATION, user_id=str(admin.id))
    assert len(recorded) == ADMINS * ROUNDS
    assert_whole(database)


def test_a_pool_of_one_connection_serves_many_admins(
    database: Database, alice: Person, admin: Person
) -> None:
    """The holder of the only connection must not wait for another that waits for it."""
    engine = create_engine(database.app_url, pool_size=1, max_overflow=0, pool_timeout=10)

    def work(_: int) -> None:
        with session_of(engine, admin, Role.ADMIN) as session:
            change(session, alice.items[0])
            session.commit()

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(work, range(8)))
    engine.dispose()
    assert len(changes(database, admin)) == 8
    assert_whole(database)


def test_a_long_transaction_keeps_no_other_admin_waiting(
    database: Database, engine: Engine, alice: Person, bob: Person, admin: Person
) -> None:
    impatient = create_engine(database.app_url.update_query_dict({"options": "-c lock_timeout=1s"}))
    with session_of(engine, admin, Role.ADMIN) as long:
        change(long, alice.items[0])
        for _ in range(2):
            with session_of(impatient, admin, Role.ADMIN) as short:
                change(short, bob.items[0])
                short.commit()
        change(long, alice.items[1])
        long.commit()
    impatient.dispose()
    owners = [entry["owner"] for entry in sorted(changes(database, admin), key=_position)]
    assert owners == [str(bob.id)] * 2 + [str(alice.id)] * 2
    assert_whole(database)


def _position(entry: RowMapping) -> int:
    return int(entry["position"])


def test_who_chains_early_is_waited_for_and_no_longer_than_that(
    database: Database, engine: Engine, alice: Person, bob: Person, admin: Person
) -> None:
    """The negative control: with the head locked, the other does wait."""
    impatient = create_engine(database.app_url.update_query_dict({"options": "-c lock_timeout=50"}))
    with session_of(engine, admin, Role.ADMIN) as holder:
        change(holder, alice.items[0])
        holder.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
        with (
            pytest.raises(DBAPIError, match="lock timeout"),
            session_of(impatient, admin, Role.ADMIN) as waiting,
        ):
            change(waiting, bob.items[0])
        holder.commit()
    with session_of(impatient, admin, Role.ADMIN) as served:
        change(served, bob.items[0])
        served.commit()
    impatient.dispose()
    assert_whole(database)


@pytest.mark.parametrize("level", ["REPEATABLE READ", "SERIALIZABLE"])
def test_an_older_snapshot_is_a_serialization_failure_and_no_fork(
    level: str, database: Database, engine: Engine, alice: Person, bob: Person, admin: Person
) -> None:
    steady = engine.execution_options(isolation_level=level)
    with session_of(steady, admin, Role.ADMIN) as late:
        change(late, alice.items[0])
        with session_of(engine, admin, Role.ADMIN) as early:
            change(early, bob.items[0])
            early.commit()
        with pytest.raises(DBAPIError) as caught:
            late.commit()
        assert getattr(caught.value.orig, "sqlstate", None) == SERIALIZATION_FAILURE
        late.rollback()
        change(late, alice.items[0])  # tried again, as with any serialization failure
        late.commit()
    assert [entry["owner"] for entry in changes(database, admin)] == [str(bob.id), str(alice.id)]
    assert_whole(database)


def test_changes_that_many_savepoints_left(
    database: Database, engine: Engine, alice: Person, admin: Person
) -> None:
    """P14: what a savepoint took back leaves no gap."""
    with session_of(engine, admin, Role.ADMIN) as session:
        for number in range(6):
            savepoint = session.begin_nested()
            change(session, alice.items[number % 2])
            if number % 3 == 0:
                savepoint.rollback()
            else:
                savepoint.commit()
        session.commit()
    assert len(changes(database, admin)) == 4
    assert_whole(database)
