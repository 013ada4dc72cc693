"""One's own account, and signing up for one."""

from datetime import UTC, datetime

import pytest
from fastapi.testclient import TestClient

from tests.app.api.support import API, bearer, give_password, sign_in, signed_in, stored
from tests.support.databases import Database
from tests.support.people import Person, add_person

ME = f"{API}/users/me"
SIGNUP = f"{API}/users/signup"
PASSWORD = "a quiet hedge"
OTHER_PASSWORD = "a loud hedge"


def test_signing_up_makes_an_ordinary_account_that_can_sign_in(
    client: TestClient, alice: Person
) -> None:
    person = {"email": "Carol@Example.com", "password": PASSWORD, "full_name": "Carol"}
    response = client.post(SIGNUP, json={**person, "is_superuser": True})
    assert response.status_code == 200
    account = response.json()
    assert account.keys() == {
        "id", "email", "full_name", "is_active", "is_superuser", "created_at",
    }  # fmt: skip
    assert account["email"] == "carol@example.com"
    assert (account["is_active"], account["is_superuser"]) == (True, False)
    assert datetime.fromisoformat(account["created_at"]) <= datetime.now(UTC)

    token = sign_in(client, "carol@example.com", PASSWORD).json()["access_token"]
    assert client.get(ME, headers=bearer(token)).json() == account
    assert client.get(f"{API}/items/", headers=bearer(token)).json() == {"data": [], "count": 0}


def test_a_password_is_stored_as_its_argon2_hash(
    client: TestClient, database: Database, alice: Person
) -> None:
    email = "dora@example.com"
    assert client.post(SIGNUP, json={"email": email, "password": PASSWORD}).status_code == 200
    (row,) = (row for row in stored(database)["user"] if row["email"] == email)
    assert row["hashed_password"].startswith("$argon2id$")


def test_ones_own_account_is_read_at_both_addresses(client: TestClient, alice: Person) -> None:
    response = client.get(ME, headers=signed_in(alice))
    assert response.status_code == 200
    assert response.json()["email"] == alice.email
    by_id = client.get(f"{API}/users/{alice.id}", headers=signed_in(alice))
    assert by_id.json() == response.json()


def test_name_and_address_can_be_changed(
    client: TestClient, database: Database, alice: Person
) -> None:
    give_password(database, alice, PASSWORD)
    headers = signed_in(alice, PASSWORD)
    before = client.get(ME, headers=headers).json()
    # The official front end sends the address along, changed or not.
    name_alone = {"full_name": "Älice 🌿", "email": "Alice@example.com"}
    changed = client.patch(ME, headers=headers, json=name_alone)
    assert changed.status_code == 200
    assert changed.json() == {**before, "full_name": "Älice 🌿"}
    address = {"email": "Alice@New.example.com", "current_password": PASSWORD}
    changed = client.patch(ME, headers=headers, json=address)
    assert changed.json()["email"] == "alice@new.example.com"
    assert changed.json()["full_name"] == "Älice 🌿"
    (row,) = stored(database)["user"]
    assert (row["email"], row["full_name"]) == ("alice@new.example.com", "Älice 🌿")


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({}, "To change the e-mail address, give the current password too"),
        ({"current_password": None}, "To change the e-mail address, give the current password too"),
        ({"current_password": OTHER_PASSWORD}, "Incorrect password"),
    ],
)
def test_a_token_alone_does_not_change_the_address(
    client: TestClient,
    database: Database,
    alice: Person,
    given: dict[str, str | None],
    sentence: str,
) -> None:
    give_password(database, alice, PASSWORD)
    before = stored(database)
    body = {"email": "mallory@example.com", "full_name": "Mallory", **given}
    response = client.patch(ME, headers=signed_in(alice, PASSWORD), json=body)
    assert response.status_code == 400
    assert response.json() == {"detail": sentence}
    assert stored(database) == before


def test_anothers_address_is_refused(
    client: TestClient, database: Database, alice: Person, bob: Person
) -> None:
    give_password(database, alice, PASSWORD)
    before = stored(database)
    body = {"email": "BOB@example.com", "current_password": PASSWORD}
    response = client.patch(ME, headers=signed_in(alice, PASSWORD), json=body)
    assert response.status_code == 409
    assert response.json() == {"detail": "User with this email already exists"}
    assert stored(database) == before


def test_nobody_makes_themselves_a_superuser(
    client: TestClient, database: Database, alice: Person
) -> None:
    before = stored(database)
    forged = {"is_superuser": True, "is_active": False, "hashed_password": "x"}
    response = client.patch(ME, headers=signed_in(alice), json=forged)
    assert response.json()["is_superuser"] is False
    assert stored(database) == before


def test_the_password_changes_and_what_the_old_one_gave_is_worth_nothing(
    client: TestClient, database: Database, alice: Person
) -> None:
    give_password(database, alice, PASSWORD)
    headers = signed_in(alice, PASSWORD)
    response = client.patch(
        f"{ME}/password",
        headers=headers,
        json={"current_password": PASSWORD, "new_password": OTHER_PASSWORD},
    )
    assert response.status_code == 200
    answer = response.json()
    new_token = answer.pop("access_token")
    assert answer == {"message": "Password updated successfully", "token_type": "bearer"}
    assert client.get(ME, headers=headers).status_code == 403
    assert client.get(ME, headers=bearer(new_token)).status_code == 200
    assert sign_in(client, alice.email, PASSWORD).status_code == 400
    assert sign_in(client, alice.email, OTHER_PASSWORD).status_code == 200


@pytest.mark.parametrize(
    ("current", "new", "sentence"),
    [
        (OTHER_PASSWORD, PASSWORD, "Incorrect password"),
        (PASSWORD, PASSWORD, "New password cannot be the same as the current one"),
    ],
)
def test_a_password_change_is_refused(
    client: TestClient, database: Database, alice: Person, current: str, new: str, sentence: str
) -> None:
    give_password(database, alice, PASSWORD)
    before = stored(database)
    body = {"current_password": current, "new_password": new}
    response = client.patch(f"{ME}/password", headers=signed_in(alice, PASSWORD), json=body)
    assert response.status_code == 400
    assert response.json() == {"detail": sentence}
    assert stored(database) == before


def test_deleting_ones_account_deletes_ones_rows_and_no_others(
    client: TestClient, database: Database, alice: Person, bob: Person
) -> None:
    """P33: the cascade takes the user's own rows only."""
    response = client.delete(ME, headers=signed_in(alice))
    assert response.status_code == 200
    assert response.json() == {"message": "User deleted successfully"}
    left = stored(database)
    assert [row["id"] for row in left["user"]] == [bob.id]
    assert {row["id"] for row in left["item"]} == set(bob.items)


def test_a_superuser_cannot_delete_their_own_account(
    client: TestClient, database: Database, admin: Person
) -> None:
    before = stored(database)
    response = client.delete(ME, headers=signed_in(admin))
    assert response.status_code == 403
    assert response.json() == {"detail": "Super users are not allowed to delete themselves"}
    assert stored(database) == before


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_token_ends_with_its_account(
    client: TestClient, database: Database, alice: Person, bob: Person, method: str
) -> None:
    headers = signed_in(alice)
    client.delete(ME, headers=headers)
    body = {"full_name": "x"} if method == "PATCH" else None
    response = client.request(method, ME, headers=headers, json=body)
    assert response.status_code == 404
    assert response.json() == {"detail": "User not found"}


def test_an_inactive_account_is_let_in_nowhere(
    client: TestClient, database: Database, alice: Person
) -> None:
    idle = add_person(database, "idle", active=False)
    for address in (ME, f"{API}/items/", f"{API}/admin/items/"):
        response = client.get(address, headers=signed_in(idle))
        assert response.status_code == 400
        assert response.json() == {"detail": "Inactive user"}
