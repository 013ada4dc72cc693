"""Where an identity cannot be bound, and what savepoints do to one that is."""

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.orm import Session

import hedgerow
from app.models import Item
from hedgerow import Identity, IdentityError, Role
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY, AdminContext, session_of, visible


def test_another_user_is_refused(pool: Engine, alice: Person, bob: Person) -> None:
    with session_of(pool, alice) as session:
        with pytest.raises(IdentityError, match="another user"):
            hedgerow.bind(session, Identity(bob.id), ROW_SECURITY)
        assert visible(session) == set(alice.items)
        with pytest.raises(IdentityError, match="another user"):
            hedgerow.bind(session, Identity(bob.id, Role.ADMIN), ROW_SECURITY)
        assert visible(session) == set(alice.items)


def test_another_user_is_refused_after_close(pool: Engine, alice: Person, bob: Person) -> None:
    session = session_of(pool, alice)
    session.close()
    with pytest.raises(IdentityError, match="another user"):
        hedgerow.bind(session, Identity(bob.id), ROW_SECURITY)


@pytest.mark.parametrize(
    ("bound", "next_identity"),
    [
        (Identity("x"), Identity.sign_in("x")),
        (Identity("x"), Identity.service("x")),
        (Identity("x", Role.ADMIN), Identity.service("x")),
        (Identity.service("x"), Identity.sign_in("x")),
        (Identity.service("x"), Identity("x", Role.ADMIN)),
        (Identity.service("anonymous"), Identity.anonymous()),
    ],
    ids=str,
)
def test_another_kind_of_identity_of_that_name_is_refused(
    bound: Identity, next_identity: Identity
) -> None:
    session = Session()
    hedgerow.bind(session, bound, ROW_SECURITY)
    with pytest.raises(IdentityError, match="another user"):
        hedgerow.bind(session, next_identity, ROW_SECURITY)


@pytest.mark.parametrize("first", [Identity.anonymous(), Identity.sign_in("alice@example.com")])
def test_who_was_nobody_signs_in(first: Identity, pool: Engine, alice: Person, bob: Person) -> None:
    """In the transaction that has begun, too; and stays that user from then on."""
    with Session(pool) as session:
        hedgerow.bind(session, first, ROW_SECURITY)
        assert session.scalar(text("SELECT current_user")) == f"rls_{first.role}"
        hedgerow.bind(session, Identity(alice.id), ROW_SECURITY)
        assert visible(session) == set(alice.items)
        for other in (first, Identity(bob.id)):
            with pytest.raises(IdentityError, match="another user"):
                hedgerow.bind(session, other, ROW_SECURITY)


def test_the_same_identity_again_is_fine(pool: Engine, alice: Person) -> None:
    with session_of(pool, alice) as session:
        visible(session)
        hedgerow.bind(session, Identity(alice.id), ROW_SECURITY)
        with session.begin_nested():
            hedgerow.bind(session, Identity(alice.id), ROW_SECURITY)
        assert visible(session) == set(alice.items)


def test_binding_inside_a_savepoint_is_refused(pool: Engine, alice: Person) -> None:
    """P14: rolled back, the savepoint would take the identity with it."""
    with Session(pool) as session, session.begin_nested(), pytest.raises(IdentityError) as caught:
        hedgerow.bind(session, Identity(alice.id), ROW_SECURITY)
    assert "savepoint" in str(caught.value)


def test_binding_inside_an_admin_block_is_refused(pool: Engine, alice: Person) -> None:
    with (
        session_of(pool, alice) as session,
        AdminContext.create_full_admin(alice.id, session),
        pytest.raises(IdentityError, match="admin block"),
    ):
        hedgerow.bind(session, Identity(alice.id), ROW_SECURITY)


@pytest.mark.parametrize("depth", [1, 3])
@pytest.mark.parametrize("first", ["savepoint", "query"])
def test_savepoints_rolled_back_leave_the_identity(
    first: str, depth: int, pool: Engine, alice: Person, bob: Person
) -> None:
    """P14."""
    with session_of(pool, alice) as session:
        if first == "query":
            visible(session)
        savepoints = [session.begin_nested() for _ in range(depth)]
        session.add(Item(owner_id=alice.id, title="new"))
        assert len(visible(session)) == len(alice.items) + 1
        savepoints[0].rollback()
        assert visible(session) == set(alice.items)
        session.commit()
        assert visible(session) == set(alice.items)


def test_a_failed_savepoint_leaves_the_identity(pool: Engine, alice: Person, bob: Person) -> None:
    """P14."""
    with session_of(pool, alice) as session:
        with pytest.raises(ProgrammingError), session.begin_nested():
            session.add(Item(owner_id=bob.id, title="bob's"))
        assert visible(session) == set(alice.items)
        with pytest.raises(ProgrammingError), session.begin_nested():
            session.execute(text("SELECT no_such_column"))
        assert visible(session) == set(alice.items)
