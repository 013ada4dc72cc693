"""What is done with accounts."""

import pytest
from pwdlib.hashers.bcrypt import BcryptHasher
from sqlalchemy import text
from sqlmodel import Session

from app import crud
from app.core.db import new_session
from app.models import User, UserCreate, UserRegister, UserUpdate, UserUpdateMe
from tests.app.api.support import give_password, store_hash, stored
from tests.support.databases import Database
from tests.support.people import Person, add_person

PASSWORD = "a quiet hedge"


def let_in(email: str, password: str) -> User | None:
    """Sign in, in a session of its own as each request does: it is the user's from then on."""
    with new_session() as session:
        return crud.authenticate(session=session, email=email, password=password)


def account(session: Session, person: Person) -> User:
    """Return the person's account, as a request of the person's has it."""
    user = session.get(User, person.id, options=[crud.WITH_PASSWORD_HASH])
    assert user is not None
    return user


def test_an_account_is_registered_found_and_let_in(
    anonymous: Session, database: Database, alice: Person
) -> None:
    create = UserRegister(email="Carol@Example.com", password=PASSWORD)
    user = crud.register_user(session=anonymous, user_create=create)
    assert user.email == "carol@example.com"
    assert user.hashed_password.startswith("$argon2id$")
    for spelling in ("carol@example.com", "CAROL@EXAMPLE.COM"):
        assert crud.get_user_by_email(session=anonymous, email=spelling) is user
    anonymous.commit()
    found = let_in("carol@example.com", PASSWORD)
    assert found is not None
    assert found.id == user.id
    assert let_in("carol@example.com", "wrong") is None


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", "", "a\x00@example.com"])
def test_who_has_no_account_is_none(anonymous: Session, alice: Person, email: str) -> None:
    assert crud.get_user_by_email(session=anonymous, email=email) is None
    assert crud.authenticate(session=anonymous, email=email, password=PASSWORD) is None


def test_a_taken_address_is_refused_and_the_session_goes_on(
    anonymous: Session,
    session: Session,
    as_admin: Session,
    database: Database,
    alice: Person,
    bob: Person,
) -> None:
    before = stored(database)
    taken = UserRegister(email="BOB@example.com", password=PASSWORD)
    with pytest.raises(crud.EmailTakenError):
        crud.register_user(session=anonymous, user_create=taken)
    assert crud.get_user_by_email(session=anonymous, email=alice.email) is not None
    anonymous.commit()
    with pytest.raises(crud.EmailTakenError):
        crud.create_user(session=as_admin, user_create=UserCreate(**taken.model_dump()))
    assert crud.count_users(session=as_admin) == 3
    as_admin.commit()
    change = UserUpdateMe(email=taken.email)
    with pytest.raises(crud.EmailTakenError):
        crud.update_user(session=session, db_user=account(session, alice), user_in=change)
    assert account(session, alice).email == alice.email
    assert stored(database) == before


def test_a_password_is_set_in_both_ways(
    session: Session, database: Database, alice: Person
) -> None:
    user = account(session, alice)
    crud.update_user(session=session, db_user=user, user_in=UserUpdate(password=PASSWORD))
    assert let_in(alice.email, PASSWORD)
    crud.set_password(session=session, db_user=user, password="another one")
    assert let_in(alice.email, PASSWORD) is None
    assert let_in(alice.email, "another one")


def test_null_as_a_password_keeps_it(session: Session, database: Database, alice: Person) -> None:
    change = UserUpdate(password=None, full_name="Alice")
    crud.update_user(session=session, db_user=account(session, alice), user_in=change)
    (row,) = stored(database)["user"]
    assert (row["hashed_password"], row["full_name"]) == ("none", "Alice")


def test_an_inactive_account_is_authenticated_all_the_same(
    anonymous: Session, database: Database, alice: Person
) -> None:
    idle = add_person(database, "idle", active=False)
    give_password(database, idle, PASSWORD)
    user = crud.authenticate(session=anonymous, email=idle.email, password=PASSWORD)
    assert user is not None
    assert user.is_active is False


def test_an_older_hash_is_replaced(anonymous: Session, database: Database, alice: Person) -> None:
    store_hash(database, alice, BcryptHasher(rounds=4).hash(PASSWORD))
    assert let_in(alice.email, "wrong") is None
    (row,) = stored(database)["user"]
    assert row["hashed_password"].startswith("$2")
    assert let_in(alice.email, PASSWORD)
    (row,) = stored(database)["user"]
    assert row["hashed_password"].startswith("$argon2id$")


def test_deleting_an_account_deletes_its_rows(
    session: Session, database: Database, alice: Person, bob: Person
) -> None:
    """P33: the foreign key does it, for the rows of this account only."""
    crud.delete_user(session=session, user_id=alice.id)
    left = stored(database)
    assert [row["id"] for row in left["user"]] == [bob.id]
    assert {row["id"] for row in left["item"]} == {*bob.items}


def test_an_account_that_was_deleted_meanwhile_is_told(
    session: Session, database: Database, alice: Person
) -> None:
    user = account(session, alice)
    session.commit()
    with database.as_owner() as connection:
        connection.execute(text('DELETE FROM "user"'))
    with pytest.raises(crud.UserNotFoundError):
        crud.update_user(session=session, db_user=user, user_in=UserUpdateMe(full_name="x"))
    with pytest.raises(crud.UserNotFoundError):
        crud.delete_user(session=session, user_id=alice.id)


def test_accounts_are_listed_newest_first(
    as_admin: Session, alice: Person, bob: Person, admin: Person
) -> None:
    listed = {user.id: user.created_at for user in crud.get_users(session=as_admin)}
    assert listed.keys() == {admin.id, bob.id, alice.id}
    assert [*listed.values()] == sorted(listed.values(), reverse=True)
    page = crud.get_users(session=as_admin, skip=1, limit=1)
    assert [user.id for user in page] == [*listed][1:2]
    assert crud.count_users(session=as_admin) == 3
