"""What a bound Core connection leaves in the pool: nothing, whatever ended it."""

import pytest
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import DBAPIError

import hedgerow
from hedgerow import Identity, IdentityError, Role, RoleNames, RowSecurity
from tests.hedgerow.paths.support import (
    BACKEND,
    ITEM_IDS,
    NOBODY,
    WHO,
    connection_of,
    state_of,
    terminate,
)
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY, one_connection


def sees_own_items(connection: Connection, person: Person) -> None:
    assert set(connection.scalars(ITEM_IDS)) == set(person.items)


@pytest.mark.parametrize("ending", ["commit", "rollback", "close"])
@pytest.mark.parametrize("role", list(Role))
def test_a_used_connection_has_no_identity(
    role: Role, ending: str, pool: Engine, database: Database, alice: Person
) -> None:
    """P11, P12."""
    with connection_of(pool, alice, role) as connection:
        backend = connection.scalar(BACKEND)
        getattr(connection, ending)()
    assert state_of(database, backend) == "idle"
    with pool.connect() as anonymous:
        assert anonymous.scalar(BACKEND) == backend
        assert tuple(anonymous.execute(WHO).one()) == NOBODY
        with pytest.raises(DBAPIError, match="carries no identity"):
            anonymous.scalars(ITEM_IDS)


@pytest.mark.parametrize("pre_ping", [False, True])
def test_a_connection_killed_in_the_pool(
    pre_ping: bool, database: Database, alice: Person, bob: Person
) -> None:
    """P19."""
    engine = one_connection(database, pool_pre_ping=pre_ping)
    with connection_of(engine, bob) as connection:
        backend = connection.scalar(BACKEND)
    terminate(database, backend)
    if not pre_ping:
        with (
            connection_of(engine, alice) as connection,
            pytest.raises(DBAPIError, match="terminating connection") as caught,
        ):
            connection.scalars(ITEM_IDS)
        assert caught.value.connection_invalidated
    with connection_of(engine, alice) as connection:
        sees_own_items(connection, alice)
        assert connection.scalar(BACKEND) != backend
    engine.dispose()


def test_a_connection_killed_in_a_transaction(
    database: Database, pool: Engine, alice: Person, bob: Person
) -> None:
    with connection_of(pool, alice) as connection:
        terminate(database, connection.scalar(BACKEND))
        with pytest.raises(DBAPIError) as caught:
            connection.scalars(ITEM_IDS)
        assert caught.value.connection_invalidated
        connection.rollback()
        sees_own_items(connection, alice)


def test_autocommit_is_refused(pool: Engine, alice: Person) -> None:
    """P19."""
    autocommit = pool.execution_options(isolation_level="AUTOCOMMIT")
    with (
        connection_of(autocommit, alice) as connection,
        pytest.raises(IdentityError, match="AUTOCOMMIT"),
    ):
        connection.execute(select(1))


def test_a_connection_whose_identity_was_refused_cannot_be_used_further(
    pool: Engine, database: Database, alice: Person
) -> None:
    """SQLAlchemy would run what follows without BEGIN, and nothing of it would be committed."""
    security = RowSecurity(roles=RoleNames(admin="postgres"))
    with pool.connect() as connection:
        backend = connection.scalar(BACKEND)
        connection.rollback()
        hedgerow.bind(connection, Identity(alice.id, Role.ADMIN), security)
        with pytest.raises(DBAPIError, match="permission denied to set role"):
            connection.execute(select(1))
        assert connection.closed
    assert state_of(database, backend) == "idle"
    with connection_of(pool, alice) as connection:
        sees_own_items(connection, alice)


def test_a_transaction_that_began_before_gets_the_identity_at_once(
    pool: Engine, alice: Person, bob: Person
) -> None:
    with pool.connect() as connection:
        connection.execute(select(1))
        hedgerow.bind(connection, Identity(alice.id), ROW_SECURITY)
        sees_own_items(connection, alice)
        connection.commit()
        sees_own_items(connection, alice)


def test_a_connection_keeps_its_user(pool: Engine, alice: Person, bob: Person) -> None:
    with connection_of(pool, alice) as connection:
        with pytest.raises(IdentityError, match="another user"):
            hedgerow.bind(connection, Identity(bob.id), ROW_SECURITY)
        with connection.begin_nested(), pytest.raises(IdentityError, match="savepoint"):
            hedgerow.bind(connection, Identity(alice.id, Role.ADMIN), ROW_SECURITY)
        sees_own_items(connection, alice)


def test_a_two_phase_transaction_never_shows_rows_of_others(
    pool: Engine, alice: Person, bob: Person
) -> None:
    """SQLAlchemy offers no moment in which to send an identity with it: it has none."""
    with (
        connection_of(pool, alice) as connection,
        connection.begin_twophase(),
        pytest.raises(DBAPIError, match="carries no identity"),
    ):
        connection.scalars(ITEM_IDS)
