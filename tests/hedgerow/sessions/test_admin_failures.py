"""An exception in an admin block reaches the caller as it was; the session goes on as the user."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import Engine, func, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from app.models import Item
from hedgerow import Identity, identity_of
from tests.support.admin_blocks import BLOCKS, STARTS, Create, start
from tests.support.databases import Database
from tests.support.people import Person, owners_of
from tests.support.sessions import AdminContext, identity_on_server, session_of, visible


class Oops(Exception):
    """What the caller's code raises."""


def leave_with(error: Exception, block: AdminContext, *steps: Callable[[], object]) -> None:
    """Enter the block, do the steps, and raise."""
    with block:
        for step in steps:
            step()
        raise error


def fail_and_catch(session: Session) -> None:
    """Have PostgreSQL abort the transaction, and say nothing of it."""
    with pytest.raises(ProgrammingError):
        session.execute(text("SELECT no_such_column"))


def assert_it_is_the_user(session: Session, alice: Person) -> None:
    assert identity_of(session) == Identity(alice.id)
    assert identity_on_server(session) == (str(alice.id), "user", "rls_app_user")
    assert visible(session) == set(alice.items)
    session.commit()
    assert visible(session) == set(alice.items)


@pytest.mark.parametrize("how", STARTS)
@pytest.mark.parametrize("create", BLOCKS)
def test_an_exception_passes_unchanged(
    create: Create, how: str, pool: Engine, alice: Person, bob: Person
) -> None:
    """P21."""
    error = Oops("mine")
    with session_of(pool, alice) as session:
        start(session, how)
        with pytest.raises(Oops) as caught:
            leave_with(error, create(alice.id, session), lambda: visible(session))
        assert caught.value is error
        assert error.__context__ is None
        assert_it_is_the_user(session, alice)


@pytest.mark.parametrize("how", STARTS)
@pytest.mark.parametrize("create", BLOCKS)
def test_a_transaction_in_error_does_not_hide_the_reason(
    create: Create, how: str, pool: Engine, alice: Person, bob: Person
) -> None:
    """P21: cleaning up in an aborted transaction would raise 25P02 in its place."""
    with session_of(pool, alice) as session:
        start(session, how)
        with pytest.raises(ProgrammingError, match="no_such_column"), create(alice.id, session):
            session.execute(text("SELECT no_such_column"))
        assert_it_is_the_user(session, alice)


@pytest.mark.parametrize("how", STARTS)
def test_the_caller_catches_the_database_error_inside_and_raises_another(
    how: str, pool: Engine, alice: Person, bob: Person
) -> None:
    """P21."""
    with session_of(pool, alice) as session:
        start(session, how)
        block = AdminContext.create_full_admin(alice.id, session)
        with pytest.raises(Oops):
            leave_with(Oops(), block, lambda: fail_and_catch(session))
        assert_it_is_the_user(session, alice)


@pytest.mark.parametrize("how", STARTS)
def test_a_transaction_in_error_that_the_caller_ignores(
    how: str, pool: Engine, alice: Person, bob: Person
) -> None:
    """P21: the block cannot be left in order; what it says is PostgreSQL's own word."""
    with session_of(pool, alice) as session:
        start(session, how)
        with (
            pytest.raises(DBAPIError, match="current transaction is aborted"),
            AdminContext.create_full_admin(alice.id, session),
        ):
            fail_and_catch(session)
        assert_it_is_the_user(session, alice)


@pytest.mark.parametrize("how", STARTS)
def test_a_flush_that_fails_on_leaving(how: str, pool: Engine, alice: Person, bob: Person) -> None:
    with session_of(pool, alice) as session:
        start(session, how)
        with pytest.raises(IntegrityError), AdminContext.create_full_admin(alice.id, session):
            session.add(Item(owner_id=uuid4(), title="no owner"))
        assert_it_is_the_user(session, alice)


@pytest.mark.parametrize("how", STARTS)
def test_what_the_block_has_not_committed_is_undone(
    how: str, pool: Engine, database: Database, alice: Person, bob: Person
) -> None:
    mine = Item(owner_id=alice.id, title="before the block")
    kept = Item(owner_id=bob.id, title="committed inside")
    lost = Item(owner_id=bob.id, title="not committed")
    ids = [item.id for item in (mine, kept, lost)]
    with session_of(pool, alice) as session:
        start(session, how)
        session.add(mine)
        with pytest.raises(Oops):
            leave_with(
                Oops(),
                AdminContext.create_full_admin(alice.id, session),
                lambda: session.add(kept),
                session.commit,
                lambda: session.add(lost),
                session.flush,
            )
        session.commit()
    assert set(owners_of(database, ids)) == set(ids[:2])


def test_what_the_user_did_before_the_block_is_not_undone(
    pool: Engine, database: Database, alice: Person, bob: Person
) -> None:
    mine = Item(owner_id=alice.id, title="before the block")
    with session_of(pool, alice) as session:
        session.add(mine)
        block = AdminContext.create_full_admin(alice.id, session)
        with pytest.raises(Oops):
            leave_with(Oops(), block, lambda: session.add(Item(owner_id=bob.id, title="lost")))
        session.commit()
    assert set(owners_of(database, [mine.id])) == {mine.id}


@pytest.mark.parametrize("how", STARTS)
@pytest.mark.parametrize("depth", [1, 2])
def test_an_exception_with_savepoints_left_open(
    depth: int, how: str, pool: Engine, alice: Person, bob: Person
) -> None:
    """P14, P21."""
    with session_of(pool, alice) as session:
        start(session, how)
        block = AdminContext.create_full_admin(alice.id, session)
        with pytest.raises(Oops):
            leave_with(Oops(), block, *[session.begin_nested, lambda: visible(session)] * depth)
        assert_it_is_the_user(session, alice)


def test_an_exception_leaves_one_nested_block_and_not_the_other(
    pool: Engine, alice: Person, bob: Person
) -> None:
    with session_of(pool, alice) as session:
        with AdminContext.create_full_admin(alice.id, session):
            visible(session)
            with pytest.raises(Oops), AdminContext.create_full_admin(bob.id, session):
                raise Oops
            assert identity_on_server(session) == (str(alice.id), "admin", "rls_admin")
        assert_it_is_the_user(session, alice)


@pytest.mark.parametrize("how", STARTS)
def test_a_connection_lost_in_the_block(
    how: str, pool: Engine, database: Database, alice: Person, bob: Person
) -> None:
    """P21: the error that reaches the caller is the lost connection."""
    with session_of(pool, alice) as session:
        start(session, how)

        def lose_connection() -> None:
            backend = session.scalars(select(func.pg_backend_pid())).one()
            with database.as_owner() as owner:
                owner.execute(select(func.pg_terminate_backend(backend, 10_000)))

        block = AdminContext.create_full_admin(alice.id, session)
        with pytest.raises(DBAPIError) as caught:
            leave_with(Oops(), block, lose_connection, lambda: visible(session))
        assert caught.value.connection_invalidated
        session.rollback()
        assert_it_is_the_user(session, alice)
