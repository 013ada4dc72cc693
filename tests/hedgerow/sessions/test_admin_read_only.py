"""A read-only admin block sees everything; PostgreSQL refuses its writes, and only its writes."""

from typing import Final
from uuid import uuid4

import pytest
from sqlalchemy import Engine, delete, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.models import Item
from hedgerow.errors import INSUFFICIENT_PRIVILEGE, READ_ONLY_TRANSACTION
from tests.support.admin_blocks import STARTS, start
from tests.support.databases import Database
from tests.support.people import Person, owners_of
from tests.support.sessions import AdminContext, session_of, visible

REFUSED: Final = {READ_ONLY_TRANSACTION, INSUFFICIENT_PRIVILEGE}


def look_and_write(session: Session, alice: Person, bob: Person, how: str) -> None:
    with AdminContext.create_read_only_admin(alice.id, session):
        assert visible(session) == {*alice.items, *bob.items}
        write(session, alice, how)


def write(session: Session, alice: Person, how: str) -> None:
    if how == "flush":
        session.add(Item(owner_id=alice.id, title="refused"))
        session.flush()
    elif how == "pending":
        session.add(Item(owner_id=alice.id, title="refused"))
    elif how == "delete":
        session.execute(delete(Item))
    else:
        session.execute(text('UPDATE "user" SET is_superuser = true'))


@pytest.mark.parametrize("how", STARTS)
@pytest.mark.parametrize("write_how", ["flush", "pending", "delete", "open table"])
def test_writes_fail_and_the_user_may_write_afterwards(
    write_how: str, how: str, pool: Engine, database: Database, alice: Person, bob: Person
) -> None:
    with session_of(pool, alice) as session:
        start(session, how)
        with pytest.raises(DBAPIError) as caught:
            look_and_write(session, alice, bob, write_how)
        assert getattr(caught.value.orig, "sqlstate", None) in REFUSED
        item = Item(owner_id=alice.id, title="mine")
        session.add(item)
        session.commit()
        assert visible(session) == {*alice.items, item.id}
    assert len(owners_of(database, bob.items)) == len(bob.items)


@pytest.mark.parametrize("how", STARTS)
def test_the_user_may_write_after_a_block_left_normally(
    how: str, pool: Engine, alice: Person, bob: Person
) -> None:
    with session_of(pool, alice) as session:
        start(session, how)
        with AdminContext.create_read_only_admin(alice.id, session):
            assert visible(session) == {*alice.items, *bob.items}
        item = Item(id=uuid4(), owner_id=alice.id, title="mine")
        session.add(item)
        session.commit()
        assert visible(session) == {*alice.items, item.id}


def test_it_keeps_what_was_written_before(
    pool: Engine, database: Database, alice: Person, bob: Person
) -> None:
    before = Item(owner_id=alice.id, title="before")
    with session_of(pool, alice) as session:
        session.add(before)
        with AdminContext.create_read_only_admin(alice.id, session):
            assert before.id in visible(session)
        session.commit()
    assert set(owners_of(database, [before.id])) == {before.id}


def test_commit_inside_stays_read_only(pool: Engine, alice: Person, bob: Person) -> None:
    """P13."""
    with session_of(pool, alice) as session:
        visible(session)
        with AdminContext.create_read_only_admin(alice.id, session):
            session.commit()
            assert visible(session) == {*alice.items, *bob.items}
            with pytest.raises(DBAPIError) as caught:
                session.execute(delete(Item))
            assert getattr(caught.value.orig, "sqlstate", None) in REFUSED
            session.rollback()
            assert visible(session) == {*alice.items, *bob.items}
        assert visible(session) == set(alice.items)


def test_the_transaction_itself_is_read_only(pool: Engine, alice: Person) -> None:
    """A table created tomorrow, granted to PUBLIC, is not written either."""
    with session_of(pool, alice) as session:
        with AdminContext.create_read_only_admin(alice.id, session):
            assert session.scalar(text("SHOW transaction_read_only")) == "on"
        assert session.scalar(text("SHOW transaction_read_only")) == "off"
