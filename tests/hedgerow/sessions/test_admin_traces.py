"""What an admin block must not leave behind in the session."""

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session as AnySession
from sqlmodel import Session

import hedgerow
from app.models import Item
from hedgerow import Identity, IdentityError, Role
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY, AdminContext, session_of, visible

KINDS = pytest.mark.parametrize(
    "kind", [AdminContext.create_full_admin, AdminContext.create_read_only_admin]
)


@KINDS
@pytest.mark.parametrize("begun", [True, False], ids=["in-transaction", "fresh"])
def test_rows_seen_inside_cannot_be_got_afterwards(
    kind: Callable[[UUID, AnySession], AdminContext],
    begun: bool,
    pool: Engine,
    alice: Person,
    bob: Person,
) -> None:
    """What the session remembers would go round the policies."""
    with session_of(pool, alice) as session:
        own = session.get(Item, alice.items[0]) if begun else None
        with kind(alice.id, session):
            hidden = session.get(Item, bob.items[0])
            assert hidden is not None
        assert session.get(Item, bob.items[0]) is None
        assert hidden.title == "bob's item 0"
        if begun:
            assert session.get(Item, alice.items[0]) is own


def test_a_connections_savepoint_does_not_bring_the_admin_back(
    pool: Engine, alice: Person, bob: Person
) -> None:
    """P14: rolled back after the block, in which it was begun."""
    with session_of(pool, alice) as session:
        with AdminContext.create_full_admin(alice.id, session):
            savepoint = session.connection().begin_nested()
            assert set(bob.items) < visible(session)
        assert not savepoint.is_active
        assert visible(session) == set(alice.items)


def test_blocks_that_end_in_another_order_leave_no_admin(
    pool: Engine, alice: Person, bob: Person
) -> None:
    with session_of(pool, alice) as session:
        outer = AdminContext.create_full_admin(alice.id, session)
        inner = AdminContext.create_full_admin(alice.id, session)
        outer.__enter__()
        inner.__enter__()
        with pytest.raises(IdentityError, match="another order"):
            outer.__exit__(None, None, None)
        assert visible(session) == set(alice.items)
        with pytest.raises(IdentityError, match="another order"):
            inner.__exit__(None, None, None)
        assert visible(session) == set(alice.items)


@pytest.mark.parametrize("role", [Role.ADMIN, Role.USER])
def test_a_read_only_admin_is_not_bound_to_be_more(
    role: Role, pool: Engine, alice: Person, bob: Person
) -> None:
    read_only = Identity(alice.id, Role.READ_ONLY_ADMIN)
    with Session(pool) as session:
        hedgerow.bind(session, read_only, ROW_SECURITY)
        with pytest.raises(IdentityError, match="read-only"):
            hedgerow.bind(session, Identity(alice.id, role), ROW_SECURITY)
    with pool.connect() as connection:
        hedgerow.bind(connection, read_only, ROW_SECURITY)
        with pytest.raises(IdentityError, match="read-only"):
            hedgerow.bind(connection, Identity(alice.id, role), ROW_SECURITY)
        assert connection.scalar(text("SHOW transaction_read_only")) == "on"
