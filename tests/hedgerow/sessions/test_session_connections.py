"""What an identity leaves on its connection: nothing; and which connections cannot have one."""

import pytest
from sqlalchemy import Engine, create_engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

import hedgerow
from hedgerow import Identity, IdentityError, Role
from hedgerow.errors import MISSING_IDENTITY
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.sessions import (
    ROW_SECURITY,
    identity_on_server,
    one_connection,
    session_of,
    visible,
)


def backend_of(session: Session) -> int:
    return int(session.scalars(select(func.pg_backend_pid())).one())


def state_of(database: Database, backend: int) -> str | None:
    with database.as_owner() as owner:
        state: str | None = owner.scalar(
            text("SELECT state FROM pg_stat_activity WHERE pid = :pid"), {"pid": backend}
        )
    return state


def terminate(database: Database, backend: int) -> None:
    with database.as_owner() as owner:
        assert owner.scalar(select(func.pg_terminate_backend(backend, 10_000)))


@pytest.mark.parametrize("ending", ["commit", "rollback", "close"])
@pytest.mark.parametrize("role", list(Role))
def test_a_used_connection_has_no_identity(
    role: Role, ending: str, pool: Engine, database: Database, alice: Person
) -> None:
    """P11, P12."""
    session = session_of(pool, alice, role)
    backend = backend_of(session)
    assert identity_on_server(session) != ("", "", "rls_app_user")
    getattr(session, ending)()
    session.close()
    assert state_of(database, backend) == "idle"
    with Session(pool) as anonymous:
        assert backend_of(anonymous) == backend
        assert identity_on_server(anonymous) == ("", "", "rls_app_user")
        with pytest.raises(DBAPIError) as caught:
            visible(anonymous)
        assert getattr(caught.value.orig, "sqlstate", None) == MISSING_IDENTITY


def test_a_connection_is_idle_also_with_pre_ping(database: Database, alice: Person) -> None:
    """P19."""
    engine = one_connection(database, pool_pre_ping=True)
    for _ in range(3):
        with session_of(engine, alice) as session:
            backend = backend_of(session)
            assert visible(session) == set(alice.items)
        assert state_of(database, backend) == "idle"
    engine.dispose()


def test_binding_begins_no_transaction(pool: Engine, alice: Person) -> None:
    with session_of(pool, alice) as session:
        assert not session.in_transaction()
        assert pool.pool.checkedout() == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("way", ["engine", "execution option", "connection"])
def test_autocommit_is_refused(way: str, database: Database, pool: Engine, alice: Person) -> None:
    """P19: the identity would be gone before the next statement."""
    if way == "engine":
        engine = create_engine(
            database.app_url, pool_size=1, max_overflow=0, isolation_level="AUTOCOMMIT"
        )
    elif way == "execution option":
        engine = pool.execution_options(isolation_level="AUTOCOMMIT")
    else:
        engine = pool
    options = {"isolation_level": "AUTOCOMMIT"} if way == "connection" else {}
    with session_of(engine, alice) as session, pytest.raises(IdentityError, match="AUTOCOMMIT"):
        session.connection(execution_options=options)
    engine.dispose()


@pytest.mark.parametrize("level", ["SERIALIZABLE", "REPEATABLE READ", "READ COMMITTED"])
def test_isolation_levels_are_kept(level: str, pool: Engine, alice: Person) -> None:
    with session_of(pool.execution_options(isolation_level=level), alice) as session:
        assert visible(session) == set(alice.items)
        assert session.scalar(text("SHOW transaction_isolation")) == level.lower()
    with session_of(pool, alice) as session:
        session.connection(execution_options={"isolation_level": level})
        assert session.scalar(text("SHOW transaction_isolation")) == level.lower()
        session.commit()
        assert session.scalar(text("SHOW transaction_isolation")) == "read committed"


def test_read_only_and_deferrable_are_kept(pool: Engine, alice: Person) -> None:
    options = {
        "isolation_level": "SERIALIZABLE",
        "postgresql_readonly": True,
        "postgresql_deferrable": True,
    }
    with session_of(pool.execution_options(**options), alice) as session:
        assert session.scalar(text("SHOW transaction_read_only")) == "on"
        assert session.scalar(text("SHOW transaction_deferrable")) == "on"
        assert visible(session) == set(alice.items)


@pytest.mark.parametrize("pre_ping", [False, True])
def test_a_killed_connection_is_reported_and_replaced(
    pre_ping: bool, database: Database, alice: Person
) -> None:
    engine = one_connection(database, pool_pre_ping=pre_ping)
    with session_of(engine, alice) as session:
        backend = backend_of(session)
    terminate(database, backend)
    if not pre_ping:
        with session_of(engine, alice) as session, pytest.raises(DBAPIError) as caught:
            visible(session)
        assert caught.value.connection_invalidated
    with session_of(engine, alice) as session:
        assert visible(session) == set(alice.items)
        assert backend_of(session) != backend
    engine.dispose()


def test_a_connection_killed_in_a_transaction(
    database: Database, pool: Engine, alice: Person
) -> None:
    with session_of(pool, alice) as session:
        terminate(database, backend_of(session))
        with pytest.raises(DBAPIError) as caught:
            visible(session)
        assert caught.value.connection_invalidated
        session.rollback()
        assert visible(session) == set(alice.items)


def test_a_role_that_may_not_be_taken_is_an_error_and_the_connection_survives(
    pool: Engine, alice: Person
) -> None:
    roles = hedgerow.RoleNames(admin="postgres")
    with Session(pool) as session:
        hedgerow.bind(session, Identity(alice.id, Role.ADMIN), hedgerow.RowSecurity(roles=roles))
        with pytest.raises(DBAPIError, match="permission denied to set role") as caught:
            visible(session)
        assert not caught.value.connection_invalidated
        session.rollback()
    with session_of(pool, alice) as session:
        assert visible(session) == set(alice.items)


def test_a_value_with_quotes_is_data(pool: Engine) -> None:
    """P3: the identity is bound, never spelled into SQL."""
    name = "x'; SET ROLE rls_admin; --"
    with Session(pool) as session:
        hedgerow.bind(session, Identity(name), ROW_SECURITY)
        assert identity_on_server(session) == (name, "user", "rls_app_user")
