"""What is done with accounts."""

import pytest
from pwdlib.hashers.bcrypt import BcryptHasher
from sqlalchemy import text
from sqlmodel import Session

from app import crud
from app.models import UserCreate, UserUpdate, UserUpdateMe
from tests.app.api.support import give_password, store_hash, stored
from tests.support.databases import Database
from tests.support.people import Person, add_person

PASSWORD = "a quiet hedge"


def test_an_account_is_created_found_and_let_in(
    anonymous: Session, database: Database, alice: Person
) -> None:
    create = UserCreate(email="Carol@Example.com", password=PASSWORD)
    user = crud.create_user(session=anonymous, user_create=create)
    assert user.email == "carol@example.com"
    assert user.hashed_password.startswith("$argon2id$")
    for spelling in ("carol@example.com", "CAROL@EXAMPLE.COM"):
        assert crud.get_user_by_email(session=anonymous, email=spelling) is user
    found = crud.authenticate(session=anonymous, email="carol@example.com", password=PASSWORD)
    assert found is user
    assert crud.authenticate(session=anonymous, email="carol@example.com", password="wrong") is None


@pytest.mark.parametrize("email", ["nobody@example.com", "no address", "", "a\x00@example.com"])
def test_who_has_no_account_is_none(anonymous: Session, alice: Person, email: str) -> None:
    assert crud.get_user_by_email(session=anonymous, email=email) is None
    assert crud.authenticate(session=anonymous, email=email, password=PASSWORD) is None


def test_a_taken_address_is_refused_and_the_session_goes_on(
    anonymous: Session, database: Database, alice: Person, bob: Person
) -> None:
    before = stored(database)
    create = UserCreate(email="ALICE@example.com", password=PASSWORD)
    with pytest.raises(crud.EmailTakenError):
        crud.create_user(session=anonymous, user_create=create)
    user = crud.get_user_by_email(session=anonymous, email=bob.email)
    assert user is not None
    change = UserUpdateMe(email="alice@example.com")
    with pytest.raises(crud.EmailTakenError):
        crud.update_user(session=anonymous, db_user=user, user_in=change)
    assert crud.count_users(session=anonymous) == 2
    assert stored(database) == before


def test_a_password_is_set_in_both_ways(
    anonymous: Session, database: Database, alice: Person
) -> None:
    user = crud.get_user_by_email(session=anonymous, email=alice.email)
    assert user is not None
    crud.update_user(session=anonymous, db_user=user, user_in=UserUpdate(password=PASSWORD))
    assert crud.authenticate(session=anonymous, email=alice.email, password=PASSWORD) is user
    crud.set_password(session=anonymous, db_user=user, password="another one")
    assert crud.authenticate(session=anonymous, email=alice.email, password=PASSWORD) is None
    assert crud.authenticate(session=anonymous, email=alice.email, password="another one") is user


def test_null_as_a_password_keeps_it(anonymous: Session, database: Database, alice: Person) -> None:
    user = crud.get_user_by_email(session=anonymous, email=alice.email)
    assert user is not None
    change = UserUpdate(password=None, full_name="Alice")
    crud.update_user(session=anonymous, db_user=user, user_in=change)
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
    assert crud.authenticate(session=anonymous, email=alice.email, password="wrong") is None
    (row,) = stored(database)["user"]
    assert row["hashed_password"].startswith("$2")
    assert crud.authenticate(session=anonymous, email=alice.email, password=PASSWORD)
    (row,) = stored(database)["user"]
    assert row["hashed_password"].startswith("$argon2id$")


def test_deleting_an_account_deletes_its_rows_without_an_identity(
    anonymous: Session, database: Database, alice: Person, bob: Person
) -> None:
    """P33: the foreign key does it, for the rows of this account only."""
    crud.delete_user(session=anonymous, user_id=alice.id)
    left = stored(database)
    assert [row["id"] for row in left["user"]] == [bob.id]
    assert {row["id"] for row in left["item"]} == {*bob.items}


def test_an_account_that_was_deleted_meanwhile_is_told(
    anonymous: Session, database: Database, alice: Person
) -> None:
    user = crud.get_user_by_email(session=anonymous, email=alice.email)
    assert user is not None
    anonymous.commit()
    with database.as_owner() as connection:
        connection.execute(text('DELETE FROM "user"'))
    with pytest.raises(crud.UserNotFoundError):
        crud.update_user(session=anonymous, db_user=user, user_in=UserUpdateMe(full_name="x"))
    with pytest.raises(crud.UserNotFoundError):
        crud.delete_user(session=anonymous, user_id=alice.id)


def test_accounts_are_listed_newest_first(
    anonymous: Session, alice: Person, bob: Person, admin: Person
) -> None:
    listed = [user.id for user in crud.get_users(session=anonymous)]
    assert listed == [admin.id, bob.id, alice.id]
    page = crud.get_users(session=anonymous, skip=1, limit=1)
    assert [user.id for user in page] == [bob.id]
    assert crud.count_users(session=anonymous) == 3
