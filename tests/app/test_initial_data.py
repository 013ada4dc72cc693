"""The first users, created where they are missing."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from sqlmodel import Session

import hedgerow
from app import crud
from app.core.config import settings
from app.core.db import new_session, shutdown
from app.core.rls import row_security
from app.core.sessions import service_session
from app.initial_data import create_first_users, create_sample_items
from app.models import User
from hedgerow import Identity
from tests.app.api.support import stored
from tests.support.databases import Database
from tests.support.people import remove_all_users


@pytest.fixture
def empty(database: Database) -> Iterator[Database]:
    """Yield a database without accounts; the application's own pool is closed at the end."""
    remove_all_users(database)
    yield database
    shutdown()


def start() -> None:
    """Do what the start of a process does."""
    with new_session() as session:
        create_first_users(session)


@contextmanager
def first_user() -> Iterator[tuple[Session, User]]:
    """Yield a session of FIRST_USER's, and the account."""
    with new_session() as session:
        owner = crud.get_user_by_email(session=session, email=settings.FIRST_USER)
        assert owner is not None
        hedgerow.bind(session, Identity(owner.id), row_security)
        yield session, owner


def test_the_first_users_can_sign_in_and_one_is_a_superuser(empty: Database) -> None:
    start()
    for email, password, superuser in (
        (settings.FIRST_USER, settings.FIRST_USER_PASSWORD, False),
        (settings.FIRST_SUPERUSER, settings.FIRST_SUPERUSER_PASSWORD, True),
    ):
        with new_session() as session:
            user = crud.authenticate(session=session, email=email, password=password)
        assert user is not None
        assert (user.is_superuser, user.is_active) == (superuser, True)


def test_the_first_superuser_is_on_record(empty: Database) -> None:
    """Made by a service, which nobody could pose as: it inserts accounts, and reads none."""
    with empty.as_owner() as owner:
        last = owner.scalar(text("SELECT coalesce(max(id), 0) FROM rls.audit"))
    start()
    start()
    with empty.as_owner() as owner:
        columns = "event, role, user_id, table_name, command"
        newer = text(f"SELECT {columns} FROM rls.audit WHERE id > :last ORDER BY id")
        trail = owner.execute(newer, {"last": last}).all()
    service = ("service", "first-superuser")
    assert [tuple(entry) for entry in trail] == [
        ("elevation", *service, None, None),
        ("statement", *service, 'public."user"', "INSERT"),
        ("change", *service, 'public."user"', "INSERT"),
    ]
    with service_session("first-superuser", reason="test") as session:
        for statement in (
            'SELECT id FROM "user"',
            'UPDATE "user" SET is_superuser = true',
            'DELETE FROM "user"',
            "SELECT id FROM item",
        ):
            with pytest.raises(ProgrammingError, match="permission denied"):
                session.execute(text(statement))
            session.rollback()
    with service_session("another", reason="test") as session:
        session.add(User(email="x@example.com", hashed_password="none", is_superuser=True))
        with pytest.raises(ProgrammingError, match="violates row-level security"):
            session.commit()


def test_an_account_that_exists_is_left_as_it_is(empty: Database) -> None:
    start()
    with empty.as_owner() as connection:
        connection.execute(
            text("""UPDATE "user" SET hashed_password = 'mine', is_superuser = false""")
        )
    before = stored(empty)
    start()
    assert stored(empty) == before


def test_only_the_one_who_is_missing_is_created(empty: Database) -> None:
    start()
    with empty.as_owner() as connection:
        connection.execute(
            text('DELETE FROM "user" WHERE email = :email'), {"email": settings.FIRST_USER}
        )
    start()
    assert {row["email"] for row in stored(empty)["user"]} == {
        settings.FIRST_USER,
        settings.FIRST_SUPERUSER,
    }


def test_several_processes_may_start_at_once(empty: Database) -> None:
    failures: list[BaseException] = []
    barrier = threading.Barrier(4)

    def create() -> None:
        try:
            barrier.wait()
            start()
        except BaseException as failure:  # noqa: BLE001 (of a thread; told below)
            failures.append(failure)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(stored(empty)["user"]) == 2


def test_samples_are_given_once_and_to_who_has_nothing(empty: Database) -> None:
    start()
    with first_user() as (session, owner):
        create_sample_items(session, owner)
        given = stored(empty)["item"]
        assert len(given) == 3
        assert {row["owner_id"] for row in given} == {owner.id}
        create_sample_items(session, owner)
    assert stored(empty)["item"] == given


def test_who_has_items_gets_no_samples(empty: Database) -> None:
    start()
    with first_user() as (session, owner):
        create_sample_items(session, owner)
        first = stored(empty)["item"][0]["id"]
        crud.delete_item(session=session, item_id=first, owner_id=owner.id)
        create_sample_items(session, owner)
    assert len(stored(empty)["item"]) == 2
