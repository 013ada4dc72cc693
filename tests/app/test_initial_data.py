"""The first users, created where they are missing."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlmodel import Session

import hedgerow
from app import crud
from app.core.config import settings
from app.core.db import new_session, shutdown
from app.core.rls import row_security
from app.initial_data import create_first_users, create_sample_items
from hedgerow import Identity
from tests.app.api.support import stored
from tests.support.databases import Database
from tests.support.people import Person, remove_all_users


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """Yield a session without an identity on the application's own pool; the tables are empty."""
    remove_all_users(database)
    with new_session() as session:
        yield session
    shutdown()


def test_the_first_users_can_sign_in_and_one_is_a_superuser(session: Session) -> None:
    create_first_users(session)
    for email, password, superuser in (
        (settings.FIRST_USER, settings.FIRST_USER_PASSWORD, False),
        (settings.FIRST_SUPERUSER, settings.FIRST_SUPERUSER_PASSWORD, True),
    ):
        user = crud.authenticate(session=session, email=email, password=password)
        assert user is not None
        assert (user.is_superuser, user.is_active) == (superuser, True)


def test_an_account_that_exists_is_left_as_it_is(session: Session, database: Database) -> None:
    create_first_users(session)
    with database.as_owner() as connection:
        connection.execute(
            text("""UPDATE "user" SET hashed_password = 'mine', is_superuser = false""")
        )
    before = stored(database)
    create_first_users(session)
    assert stored(database) == before


def test_only_the_one_who_is_missing_is_created(session: Session, database: Database) -> None:
    create_first_users(session)
    with database.as_owner() as connection:
        connection.execute(
            text('DELETE FROM "user" WHERE email = :email'), {"email": settings.FIRST_USER}
        )
    create_first_users(session)
    assert {row["email"] for row in stored(database)["user"]} == {
        settings.FIRST_USER,
        settings.FIRST_SUPERUSER,
    }


def test_several_processes_may_start_at_once(session: Session, database: Database) -> None:
    failures: list[BaseException] = []
    start = threading.Barrier(4)

    def create() -> None:
        try:
            with new_session() as own:
                start.wait()
                create_first_users(own)
        except BaseException as failure:  # noqa: BLE001 (of a thread; told below)
            failures.append(failure)

    threads = [threading.Thread(target=create) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(stored(database)["user"]) == 2


def test_samples_are_given_once_and_to_who_has_nothing(
    session: Session, database: Database
) -> None:
    create_first_users(session)
    owner = crud.get_user_by_email(session=session, email=settings.FIRST_USER)
    assert owner is not None
    hedgerow.bind(session, Identity(owner.id), row_security)
    create_sample_items(session, owner)
    given = stored(database)["item"]
    assert len(given) == 3
    assert {row["owner_id"] for row in given} == {owner.id}
    create_sample_items(session, owner)
    assert stored(database)["item"] == given


def test_who_has_items_gets_no_samples(alice: Person, session: Session, database: Database) -> None:
    create_first_users(session)
    owner = crud.get_user_by_email(session=session, email=settings.FIRST_USER)
    assert owner is not None
    hedgerow.bind(session, Identity(owner.id), row_security)
    create_sample_items(session, owner)
    first = stored(database)["item"][0]["id"]
    crud.delete_item(session=session, item_id=first, owner_id=owner.id)
    create_sample_items(session, owner)
    assert len(stored(database)["item"]) == 2
