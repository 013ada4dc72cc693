"""An admin block elevates a session for its length, and gives it back as it was."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from app.models import Item
from hedgerow import Identity, identity_of
from tests.support.admin_blocks import BLOCKS, STARTS, Create, start
from tests.support.databases import Database
from tests.support.people import Person, owners_of
from tests.support.sessions import (
    AdminContext,
    identity_on_server,
    session_of,
    visible,
)


@pytest.mark.parametrize("how", STARTS)
@pytest.mark.parametrize("create", BLOCKS)
def test_the_block_sees_everything_and_the_rest_does_not(
    create: Create, how: str, pool: Engine, alice: Person, bob: Person
) -> None:
    with session_of(pool, alice) as session:
        start(session, how)
        before = identity_of(session)
        with create(alice.id, session) as block:
            assert identity_of(session) == block.identity
            assert visible(session) == {*alice.items, *bob.items}
        assert identity_of(session) == before
        assert identity_on_server(session) == (str(alice.id), "user", "rls_app_user")
        assert visible(session) == set(alice.items)
        session.commit()
        assert visible(session) == set(alice.items)


@pytest.mark.parametrize("create", BLOCKS)
def test_a_block_in_a_session_without_an_identity(
    create: Create, pool: Engine, alice: Person, bob: Person
) -> None:
    """After the block the open transaction has no identity again, and not the admin's."""
    with Session(pool) as session:
        with create(alice.id, session):
            assert visible(session) == {*alice.items, *bob.items}
        assert identity_of(session) is None
        assert identity_on_server(session) == ("", "", "rls_app_user")


def test_an_empty_block_begins_no_transaction(pool: Engine, alice: Person) -> None:
    with session_of(pool, alice) as session:
        with AdminContext.create_full_admin(alice.id, session):
            pass
        assert not session.in_transaction()


@pytest.mark.parametrize("how", STARTS)
def test_what_the_admin_wrote_is_kept(
    how: str, pool: Engine, database: Database, alice: Person, bob: Person
) -> None:
    """P18: what is pending at the end of the block is flushed as the admin."""
    item = Item(owner_id=bob.id, title="from the admin")
    with session_of(pool, alice) as session:
        start(session, how)
        with AdminContext.create_full_admin(alice.id, session):
            session.add(item)
        assert item.id not in visible(session)
        session.commit()
    assert owners_of(database, [item.id]) == {item.id: bob.id}


def test_what_the_user_left_pending_is_written_as_the_user(
    pool: Engine, alice: Person, bob: Person
) -> None:
    """Entering a block does not lend its power to what was added before."""
    with session_of(pool, alice) as session:
        session.add(Item(owner_id=bob.id, title="smuggled"))
        with (
            pytest.raises(Exception, match="row-level security"),
            AdminContext.create_full_admin(alice.id, session),
        ):
            raise AssertionError("The block was entered.")
        session.rollback()
        assert identity_of(session) == Identity(alice.id)
        assert visible(session) == set(alice.items)


@pytest.mark.parametrize("how", STARTS)
def test_a_flush_right_after_the_block_is_the_users(
    how: str, pool: Engine, alice: Person, bob: Person
) -> None:
    """P18."""
    with session_of(pool, alice) as session:
        start(session, how)
        with AdminContext.create_full_admin(alice.id, session):
            visible(session)
        session.add(Item(owner_id=bob.id, title="smuggled"))
        with pytest.raises(Exception, match="row-level security"):
            session.flush()


def test_blocks_nest(pool: Engine, alice: Person, bob: Person, admin: Person) -> None:
    all_items = {*alice.items, *bob.items}
    with session_of(pool, alice) as session:
        with AdminContext.create_full_admin(admin.id, session):
            visible(session)
            with AdminContext.create_full_admin(bob.id, session):
                assert identity_on_server(session) == (str(bob.id), "admin", "rls_admin")
            with AdminContext.create_read_only_admin(bob.id, session):
                assert visible(session) == all_items
            assert identity_on_server(session) == (str(admin.id), "admin", "rls_admin")
            assert visible(session) == all_items
        assert visible(session) == set(alice.items)


def test_the_same_identity_nests(pool: Engine, alice: Person, bob: Person) -> None:
    with session_of(pool, alice) as session:
        with AdminContext.create_full_admin(alice.id, session):
            with AdminContext.create_full_admin(alice.id, session):
                visible(session)
            assert visible(session) == {*alice.items, *bob.items}
        assert visible(session) == set(alice.items)


@pytest.mark.parametrize("how", STARTS)
def test_commit_and_rollback_inside(how: str, pool: Engine, alice: Person, bob: Person) -> None:
    """P13: the next transaction inside the block is the admin's too."""
    all_items = {*alice.items, *bob.items}
    with session_of(pool, alice) as session:
        start(session, how)
        with AdminContext.create_full_admin(alice.id, session):
            item = Item(owner_id=bob.id, title="kept")
            session.add(item)
            session.commit()
            assert visible(session) == {*all_items, item.id}
            session.add(Item(owner_id=bob.id, title="not kept"))
            session.flush()
            session.rollback()
            assert visible(session) == {*all_items, item.id}
        assert visible(session) == set(alice.items)


def test_savepoints_inside(pool: Engine, alice: Person, bob: Person) -> None:
    """P14."""
    all_items = {*alice.items, *bob.items}
    with session_of(pool, alice) as session:
        with AdminContext.create_full_admin(alice.id, session):
            savepoint = session.begin_nested()
            session.add(Item(owner_id=bob.id, title="not kept"))
            session.flush()
            savepoint.rollback()
            assert visible(session) == all_items
        assert visible(session) == set(alice.items)


@pytest.mark.parametrize("how", STARTS)
def test_a_savepoint_left_open_inside_does_not_bring_the_admin_back(
    how: str, pool: Engine, alice: Person, bob: Person
) -> None:
    """P14: rolled back after the block, it would restore what was set when it began."""
    with session_of(pool, alice) as session:
        start(session, how)
        with AdminContext.create_full_admin(alice.id, session):
            left_open = session.begin_nested()
            visible(session)
        assert not left_open.is_active
        assert visible(session) == set(alice.items)


def test_an_outer_savepoint_rolled_back_after_the_block(
    pool: Engine, alice: Person, bob: Person
) -> None:
    """P14: the savepoint began before any statement, and before the block."""
    with session_of(pool, alice) as session:
        savepoint = session.begin_nested()
        with AdminContext.create_full_admin(alice.id, session):
            session.add(Item(owner_id=bob.id, title="not kept"))
        savepoint.rollback()
        assert visible(session) == set(alice.items)
        with AdminContext.create_full_admin(alice.id, session):
            assert visible(session) == {*alice.items, *bob.items}
