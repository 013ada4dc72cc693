"""What one transaction leaves on a guarded connection, the next one does not find."""

from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import Engine, create_engine, event, insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.models import Item
from hedgerow import ConfigurationError, RowSecurity, guard, read_only
from tests.hedgerow.paths.support import BACKEND, async_pool_of_one
from tests.hedgerow.signing.support import SIGNED, demand, session_with
from tests.support.databases import Database
from tests.support.leftovers import INJECTED, LEFT, NOBODY, attack_and_look, found, leave
from tests.support.people import Person, add_person
from tests.support.sessions import ROW_SECURITY, one_connection, session_of, visible

MODE = text("SHOW transaction_read_only")


@pytest.fixture
def guarded(database: Database) -> Iterator[Engine]:
    """Yield the application role's guarded engine, whose pool is one connection."""
    engine = one_connection(database)
    yield guard(engine, ROW_SECURITY)
    engine.dispose()


def test_the_next_transaction_begins_clean(guarded: Engine, alice: Person, bob: Person) -> None:
    """P11, P56: after one injected SELECT, the next user's and a session's that nobody bound."""
    with session_of(guarded, alice) as attacker, session_of(guarded, bob) as next_user:
        attack_and_look(attacker, next_user, Session(guarded), bob)


def test_also_with_signed_identities(fresh_database: Database) -> None:
    """P56: the attacker leaves a signature that is good for minutes yet."""
    demand(fresh_database, SIGNED)
    alice, bob = (add_person(fresh_database, name) for name in ("alice", "bob"))
    engine = guard(one_connection(fresh_database), SIGNED)
    with (
        session_with(engine, alice, SIGNED) as attacker,
        session_with(engine, bob, SIGNED) as next_user,
    ):
        attack_and_look(attacker, next_user, Session(engine), bob)
    engine.dispose()


def test_without_row_security_too(database: Database, alice: Person) -> None:
    """The connection is clean all the same."""
    security = RowSecurity(enabled=False)
    engine = guard(one_connection(database), security)
    with session_with(engine, alice, security) as attacker, Session(engine) as nobody:
        clean = found(nobody)
        nobody.commit()
        leave(attacker)
        assert found(nobody) == clean
    engine.dispose()


async def test_an_asynchronous_engine(database: Database, alice: Person, bob: Person) -> None:
    async with async_pool_of_one(database.app_url) as engine:
        pool = engine.sync_engine

        def attack() -> None:
            with session_of(pool, alice) as attacker, session_of(pool, bob) as next_user:
                attack_and_look(attacker, next_user, Session(pool), bob)

        async with engine.connect() as connection:
            await connection.close()
            await connection.run_sync(lambda _: attack())


def test_whatever_begins_the_transaction(guarded: Engine, alice: Person) -> None:
    """P18, P56: a cursor of the driver's, COPY, many rows at once, a pipeline, a block."""
    read_path = "SELECT current_setting('search_path')"

    def cursor(connection: psycopg.Connection) -> object:
        return connection.execute(read_path).fetchone()

    def copy(connection: psycopg.Connection) -> object:
        with connection.cursor() as cursor, cursor.copy(f"COPY ({read_path}) TO STDOUT") as rows:
            (row,) = rows.rows()
            return row

    def many(connection: psycopg.Connection) -> object:
        cursor = connection.cursor()
        cursor.executemany(read_path + " WHERE %s", [(True,), (True,)], returning=True)
        return cursor.fetchone()

    def pipeline(connection: psycopg.Connection) -> object:
        with connection.pipeline():
            return connection.execute(read_path).fetchone()

    def block(connection: psycopg.Connection) -> object:
        with connection.transaction():
            return connection.execute(read_path).fetchone()

    for way in (cursor, copy, many, pipeline, block):
        with session_of(guarded, alice) as attacker:
            leave(attacker)
        with guarded.connect() as connection:
            driver_connection = connection.connection.driver_connection
            assert isinstance(driver_connection, psycopg.Connection)
            assert way(driver_connection) == ('"$user", public',), way.__name__
            with pytest.raises(psycopg.DatabaseError, match=NOBODY):
                driver_connection.execute("SELECT FROM item")


def test_without_it_everything_stays(pool: Engine, alice: Person, bob: Person) -> None:
    """The negative control: the same SELECT on an engine that is not guarded."""
    with session_of(pool, alice) as attacker, Session(pool) as nobody:
        clean = found(attacker)
        leave(attacker)
        dirty = found(nobody)
        assert {name for name in LEFT if clean[name] == dirty[name]} == set()
        for name in ("role", "row_security", "search_path"):
            nobody.execute(text(f"RESET {name}"))
        assert visible(nobody) == set(alice.items)


def test_prepared_statements_stay(guarded: Engine, alice: Person) -> None:
    count = text("SELECT count(*) FROM pg_prepared_statements")
    with session_of(guarded, alice) as session:
        for _ in range(8):
            visible(session)
            session.commit()
        assert session.scalar(count)


def test_settings_of_the_address_stay_and_those_of_a_connect_event_do_not(
    database: Database, alice: Person
) -> None:
    """The trap that `guard` tells of."""
    options = {"options": "-c work_mem=5MB"}
    engine = guard(create_engine(database.app_url.update_query_dict(options)), ROW_SECURITY)

    @event.listens_for(engine, "connect")
    def set_more(connection: psycopg.Connection, _: object) -> None:
        connection.execute("SET lock_timeout = '7s'")
        connection.commit()

    for session in (session_of(engine, alice), Session(engine)):
        assert session.scalar(text("SHOW work_mem")) == "5MB"
        assert session.scalar(text("SHOW lock_timeout")) == "0"
        session.close()
    engine.dispose()


@pytest.mark.parametrize("guard_first", [True, False])
def test_with_read_only_in_either_order(
    guard_first: bool, database: Database, alice: Person
) -> None:
    engine = one_connection(database)
    if guard_first:
        reading = read_only(guard(engine, ROW_SECURITY))
    else:
        reading = read_only(engine)
        guard(engine, ROW_SECURITY)
    for bound in (True, False):
        for pool, mode in ((reading, "on"), (engine, "off")):
            with session_of(pool, alice) if bound else Session(pool) as session:
                for _ in range(2):
                    assert session.scalar(MODE) == mode
                    session.commit()
    with session_of(reading, alice) as session, pytest.raises(DBAPIError, match="read-only"):
        session.execute(insert(Item).values(owner_id=alice.id, title="new"))
    engine.dispose()


def test_another_driver_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"postgresql\+psycopg"):
        guard(create_engine("sqlite://"), ROW_SECURITY)


def run_once(engine: Engine, statement: str) -> None:
    """Run one statement of an attacker's in a transaction that commits."""
    with engine.begin() as connection:
        connection.execute(text(statement))


@pytest.mark.parametrize("wrapped", ["{}", "DO $$ BEGIN EXECUTE '{}'; END $$"])
def test_no_statement_of_an_attackers_takes_the_place_of_a_prepared_one(
    wrapped: str, guarded: Engine, alice: Person, bob: Person
) -> None:
    """P56: psycopg would run it by its name, in the next user's transaction."""
    for _ in range(8):
        with session_of(guarded, bob) as session:
            assert visible(session) == set(bob.items)
            session.commit()
    for statement in ("DEALLOCATE _pg3_0", "PREPARE _pg3_0 AS SELECT gen_random_uuid() AS id"):
        run_once(guarded, wrapped.format(statement))
    for _ in range(8):
        with session_of(guarded, bob) as session:
            assert visible(session) == set(bob.items)
            session.commit()


def test_nor_does_one_that_a_failed_block_has_prepared(guarded: Engine, bob: Person) -> None:
    """P56: where the application goes on after the error, psycopg keeps what it has prepared."""
    for _ in range(8):
        with session_of(guarded, bob) as session:
            visible(session)
            session.commit()
    block = (
        "/**/do $$ BEGIN EXECUTE 'DEALLOCATE _pg3_0';"
        " EXECUTE 'PREPARE _pg3_0 AS SELECT gen_random_uuid() AS id'; RAISE 'failed'; END $$"
    )
    with guarded.connect() as connection:
        with pytest.raises(DBAPIError, match="failed"):
            connection.execute(text(block))
        connection.commit()
    with session_of(guarded, bob) as session:
        assert visible(session) == set(bob.items)


def test_without_it_such_a_statement_does(pool: Engine, alice: Person) -> None:
    """The negative control."""
    for _ in range(8):
        with session_of(pool, alice) as session:
            visible(session)
            session.commit()
    for statement in ("DEALLOCATE _pg3_0", "PREPARE _pg3_0 AS SELECT gen_random_uuid() AS id"):
        run_once(pool, statement)
    with session_of(pool, alice) as session:
        assert not visible(session) & set(alice.items)


def test_what_else_a_session_holds_ends_with_it(
    guarded: Engine, database: Database, alice: Person
) -> None:
    """P60: a lock that one SELECT took; a subscription, and a cursor that outlives transactions."""
    run_once(guarded, "SELECT pg_advisory_lock(1)")
    with session_of(guarded, alice) as session, database.as_owner() as owner:
        visible(session)
        assert owner.scalar(text("SELECT pg_try_advisory_xact_lock(1)"))
    run_once(guarded, "SELECT pg_advisory_lock(1)")
    with guarded.connect() as connection, database.as_owner() as owner:
        backend = connection.scalar(BACKEND)
        assert owner.scalar(text("SELECT pg_try_advisory_lock(1)"))
        connection.execute(text("SELECT pg_advisory_lock(2)"))
        connection.commit()
        connection.execute(BACKEND)  # a lock that is held from one transaction to the next stays
        assert not owner.scalar(text("SELECT pg_try_advisory_lock(2)"))
    for statement in ("LISTEN news", "DECLARE rows CURSOR WITH HOLD FOR SELECT 1"):
        run_once(guarded, statement)
        with guarded.connect() as connection:
            assert connection.scalar(BACKEND) != backend
            backend = connection.scalar(BACKEND)


def test_in_autocommit_each_statement_is_clean(guarded: Engine, alice: Person) -> None:
    with Session(guarded.execution_options(isolation_level="AUTOCOMMIT")) as session:
        clean = found(session)
        session.execute(INJECTED)
        assert found(session) == clean
