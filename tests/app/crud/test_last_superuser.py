"""There is always an active superuser: without one nobody could make another."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier

import pytest
from sqlalchemy import Engine, NullPool, create_engine
from sqlmodel import Session

import hedgerow
from app import crud
from app.crud import LastSuperuserError, users
from app.models import User, UserUpdate
from hedgerow import Identity, Role, RowSecurity, SingleStatementCursor
from tests.app.api.support import stored
from tests.app.both_modes import only_with_row_security
from tests.support.databases import Database
from tests.support.people import Person, add_person

pytestmark = only_with_row_security

Remove = Callable[[Session, Person], None]


def change(**fields: bool) -> Remove:
    def update(session: Session, person: Person) -> None:
        user = session.get_one(User, person.id)
        crud.update_user(session=session, db_user=user, user_in=UserUpdate.model_validate(fields))

    return update


def delete(session: Session, person: Person) -> None:
    crud.delete_user(session=session, user_id=person.id)


EACH_WAY = pytest.mark.parametrize(
    "remove",
    [change(is_superuser=False), change(is_active=False), delete],
    ids=["demote", "deactivate", "delete"],
)


@pytest.fixture
def unpooled(database: Database) -> Engine:
    """Return an engine with a connection for each thread."""
    options = {"cursor_factory": SingleStatementCursor}
    return create_engine(database.app_url, poolclass=NullPool, connect_args=options)


@contextmanager
def session_of(admin: Person, engine: Engine, row_security: RowSecurity) -> Iterator[Session]:
    with Session(engine, expire_on_commit=False) as session:
        hedgerow.bind(session, Identity(admin.id, Role.ADMIN, "a test"), row_security)
        yield session


def active_superusers(database: Database) -> int:
    return sum(row["is_superuser"] and row["is_active"] for row in stored(database)["user"])


@EACH_WAY
def test_the_last_active_superuser_stays(
    database: Database, unpooled: Engine, row_security: RowSecurity, admin: Person, remove: Remove
) -> None:
    add_person(database, "idle", superuser=True, active=False)
    with session_of(admin, unpooled, row_security) as session:
        with pytest.raises(LastSuperuserError):
            remove(session, admin)
        assert active_superusers(database) == 1
        other = add_person(database, "other", superuser=True)
        remove(session, other)
    assert active_superusers(database) == 1


@EACH_WAY
def test_of_two_who_remove_each_other_at_once_one_stays(
    database: Database,
    unpooled: Engine,
    row_security: RowSecurity,
    admin: Person,
    remove: Remove,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both look before either writes: the second waits for the first, and sees what it did."""
    other = add_person(database, "other", superuser=True)
    keep, both_have_read = users._keep_a_superuser, Barrier(2)

    def wait_for_the_other(session: Session, user: User) -> None:
        both_have_read.wait(60)
        keep(session, user)

    monkeypatch.setattr(users, "_keep_a_superuser", wait_for_the_other)

    def try_to_remove(asker: Person, target: Person) -> bool:
        with session_of(asker, unpooled, row_security) as session:
            try:
                remove(session, target)
            except LastSuperuserError:
                return False
            return True

    with ThreadPoolExecutor(2) as both:
        removed = [*both.map(try_to_remove, (admin, other), (other, admin))]
    assert sorted(removed) == [False, True]
    assert active_superusers(database) == 1
