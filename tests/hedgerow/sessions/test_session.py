"""What binding an identity to a session promises, whatever the session does first."""

import logging
from collections.abc import Callable
from uuid import uuid4

import pytest
from sqlalchemy import Engine, insert, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session
from sqlmodel import col

import hedgerow
from app.models import Item, User
from hedgerow import Identity, Role, identity_of
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY, identity_on_server, session_of, visible

FirstStatement = Callable[[Session, Person], None]


def by_select(session: Session, person: Person) -> None:
    assert visible(session) == set(person.items)


def by_get(session: Session, person: Person) -> None:
    assert session.get(Item, person.items[0]) is not None


def by_core(session: Session, person: Person) -> None:
    assert set(session.connection().scalars(text("SELECT id FROM item"))) == set(person.items)


def by_flush(session: Session, person: Person) -> None:
    session.add(Item(owner_id=person.id, title="new"))
    session.flush()
    session.rollback()


def by_autoflush(session: Session, person: Person) -> None:
    item = Item(owner_id=person.id, title="new")
    session.add(item)
    assert visible(session) == {*person.items, item.id}
    session.rollback()


def by_bulk_insert(session: Session, person: Person) -> None:
    rows = [{"id": uuid4(), "owner_id": person.id, "title": str(n)} for n in range(3)]
    session.execute(insert(Item), rows)
    session.rollback()


def by_bulk_update(session: Session, person: Person) -> None:
    changed = session.execute(update(Item).values(title="new").returning(col(Item.id)))
    assert set(changed.scalars()) == set(person.items)
    session.rollback()


def by_yielding(session: Session, person: Person) -> None:
    rows = session.scalars(select(col(Item.id)).execution_options(yield_per=1))
    assert set(rows) == set(person.items)


def by_lazy_load(session: Session, person: Person) -> None:
    user = session.get_one(User, person.id)
    session.commit()
    assert {item.id for item in user.items} == set(person.items)


def by_refresh(session: Session, person: Person) -> None:
    item = session.get_one(Item, person.items[0])
    session.rollback()
    session.refresh(item)
    assert item.owner_id == person.id


FIRST_STATEMENTS = (
    by_select,
    by_get,
    by_core,
    by_flush,
    by_autoflush,
    by_bulk_insert,
    by_bulk_update,
    by_yielding,
    by_lazy_load,
    by_refresh,
)


@pytest.mark.parametrize("first_statement", FIRST_STATEMENTS)
def test_any_first_statement_carries_the_identity(
    first_statement: FirstStatement, pool: Engine, alice: Person, bob: Person
) -> None:
    """P18."""
    with session_of(pool, alice) as session:
        first_statement(session, alice)
        assert visible(session) == set(alice.items)


def commit(session: Session) -> None:
    session.commit()


def roll_back(session: Session) -> None:
    session.rollback()


def close(session: Session) -> None:
    session.close()


def fail_and_roll_back(session: Session) -> None:
    with pytest.raises(ProgrammingError):
        session.execute(text("SELECT no_such_column FROM item"))
    session.rollback()


def fail_to_commit(session: Session) -> None:
    session.add(Item(owner_id=uuid4(), title="no owner"))
    with pytest.raises(ProgrammingError, match="row-level security"):
        session.commit()
    session.rollback()


def fail_on_a_constraint(session: Session) -> None:
    person = identity_of(session)
    assert person is not None
    with pytest.raises(IntegrityError):
        session.execute(insert(Item), [{"id": uuid4(), "owner_id": person.user_id, "title": None}])
    session.rollback()


@pytest.mark.parametrize("first_statement", FIRST_STATEMENTS)
@pytest.mark.parametrize(
    "ending", [commit, roll_back, close, fail_and_roll_back, fail_to_commit, fail_on_a_constraint]
)
def test_the_next_transaction_carries_the_identity_too(
    ending: Callable[[Session], None],
    first_statement: FirstStatement,
    pool: Engine,
    alice: Person,
    bob: Person,
) -> None:
    """P13."""
    with session_of(pool, alice) as session:
        assert visible(session) == set(alice.items)
        ending(session)
        first_statement(session, alice)
        assert visible(session) == set(alice.items)


def test_an_identity_bound_in_an_open_transaction_holds_at_once(
    pool: Engine, alice: Person
) -> None:
    with Session(pool) as session:
        assert identity_on_server(session) == ("", "", "rls_app_user")
        hedgerow.bind(session, Identity(alice.id), ROW_SECURITY)
        assert visible(session) == set(alice.items)
        hedgerow.bind(session, Identity(alice.id, Role.ADMIN), ROW_SECURITY)
        assert identity_on_server(session) == (str(alice.id), "admin", "rls_admin")
        session.commit()
        assert identity_on_server(session) == (str(alice.id), "admin", "rls_admin")


def test_binding_again_takes_a_role_away(pool: Engine, alice: Person) -> None:
    with session_of(pool, alice, Role.ADMIN) as session:
        assert identity_on_server(session) == (str(alice.id), "admin", "rls_admin")
        hedgerow.bind(session, Identity(alice.id), ROW_SECURITY)
        assert identity_on_server(session) == (str(alice.id), "user", "rls_app_user")


def test_identity_of_tells_who_a_session_is(pool: Engine, alice: Person) -> None:
    with Session(pool) as session:
        assert identity_of(session) is None
        hedgerow.bind(session, Identity(alice.id), ROW_SECURITY)
        assert identity_of(session) == Identity(alice.id)


def test_the_log_shows_which_identity_each_transaction_got(
    pool: Engine, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, ROW_SECURITY.logger), session_of(pool, alice) as session:
        visible(session)
        session.commit()
        visible(session)
    assert caplog.messages == [f"transaction runs as user {alice.id}"] * 2
