"""All users' accounts, for superusers."""

from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from tests.app.api.support import API, ids, sign_in, signed_in, stored
from tests.app.mail_server import MailServer
from tests.support.databases import Database
from tests.support.people import Person, add_person

USERS = f"{API}/users/"
PASSWORD = "a quiet hedge"


def test_a_superuser_lists_all_accounts_newest_first(
    client: TestClient, alice: Person, bob: Person, admin: Person
) -> None:
    response = client.get(USERS, headers=signed_in(admin))
    assert response.status_code == 200
    assert ids(response) == [str(person.id) for person in (admin, bob, alice)]
    assert response.json()["count"] == 3
    assert "hashed_password" not in response.json()["data"][0]
    page = client.get(USERS, headers=signed_in(admin), params={"skip": 1, "limit": 1})
    assert ids(page) == [str(bob.id)]
    assert page.json()["count"] == 3


def test_a_superuser_creates_an_account(client: TestClient, admin: Person) -> None:
    body = {"email": "eve@example.com", "password": PASSWORD, "is_superuser": True}
    response = client.post(USERS, headers=signed_in(admin), json=body)
    assert response.status_code == 200
    assert response.json()["is_superuser"] is True
    assert sign_in(client, "eve@example.com", PASSWORD).status_code == 200


def test_a_new_account_gets_an_email_with_a_link_and_no_password(
    client: TestClient, admin: Person, mail_server: MailServer
) -> None:
    body = {"email": "eve@example.com", "password": PASSWORD}
    assert client.post(USERS, headers=signed_in(admin), json=body).status_code == 200
    (message,) = mail_server.taken
    assert message["To"] == "eve@example.com"
    assert "/reset-password?token=" in message.get_content()
    assert PASSWORD not in message.get_content()


def test_a_superuser_reads_anybodys_account_and_others_their_own(
    client: TestClient, alice: Person, bob: Person, admin: Person
) -> None:
    read = client.get(f"{USERS}{alice.id}", headers=signed_in(admin))
    assert read.status_code == 200
    assert read.json()["email"] == alice.email


@pytest.mark.parametrize("exists", [True, False])
def test_others_cannot_tell_whether_an_account_exists(
    client: TestClient, alice: Person, bob: Person, exists: bool
) -> None:
    target = bob.id if exists else uuid4()
    response = client.get(f"{USERS}{target}", headers=signed_in(alice))
    assert response.status_code == 403
    assert response.json() == {"detail": "The user doesn't have enough privileges"}


def test_a_superuser_changes_what_is_given_and_nothing_else(
    client: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    address, headers = f"{USERS}{alice.id}", signed_in(admin)
    before = client.get(address, headers=headers).json()
    assert client.patch(address, headers=headers, json={}).json() == before
    changed = client.patch(
        address, headers=headers, json={"full_name": "Al", "is_superuser": True, "password": None}
    )
    assert changed.status_code == 200
    assert changed.json() == {**before, "full_name": "Al", "is_superuser": True}
    assert {row["hashed_password"] for row in stored(database)["user"]} == {"none"}


def test_a_superuser_sets_a_password_which_ends_the_accounts_tokens(
    client: TestClient, alice: Person, admin: Person
) -> None:
    address = f"{USERS}{alice.id}"
    assert client.get(f"{API}/items/", headers=signed_in(alice)).status_code == 200
    client.patch(address, headers=signed_in(admin), json={"password": PASSWORD})
    assert client.get(f"{API}/items/", headers=signed_in(alice)).status_code == 403
    assert sign_in(client, alice.email, PASSWORD).status_code == 200


def test_an_account_that_is_switched_off_is_out_with_the_next_request(
    client: TestClient, alice: Person, admin: Person
) -> None:
    assert client.get(f"{API}/items/", headers=signed_in(alice)).status_code == 200
    off = client.patch(f"{USERS}{alice.id}", headers=signed_in(admin), json={"is_active": False})
    assert off.status_code == 200
    assert client.get(f"{API}/items/", headers=signed_in(alice)).status_code == 400


def test_deleting_an_account_deletes_its_rows_and_no_others(
    client: TestClient, database: Database, alice: Person, bob: Person, admin: Person
) -> None:
    response = client.delete(f"{USERS}{alice.id}", headers=signed_in(admin))
    assert response.status_code == 200
    assert response.json() == {"message": "User deleted successfully"}
    left = stored(database)
    assert {row["id"] for row in left["user"]} == {bob.id, admin.id}
    assert {row["id"] for row in left["item"]} == set(bob.items)


def test_a_superuser_cannot_delete_their_own_account(
    client: TestClient, database: Database, admin: Person
) -> None:
    response = client.delete(f"{USERS}{admin.id}", headers=signed_in(admin))
    assert response.status_code == 403
    assert response.json() == {"detail": "Super users are not allowed to delete themselves"}
    assert admin.id in {row["id"] for row in stored(database)["user"]}


@pytest.mark.parametrize(
    ("method", "sentence"),
    [
        ("GET", "User not found"),
        ("PATCH", "The user with this id does not exist in the system"),
        ("DELETE", "User not found"),
    ],
)
def test_a_missing_account_is_404(
    client: TestClient, admin: Person, method: str, sentence: str
) -> None:
    body = {"full_name": "x"} if method == "PATCH" else None
    response = client.request(method, f"{USERS}{uuid4()}", headers=signed_in(admin), json=body)
    assert response.status_code == 404
    assert response.json() == {"detail": sentence}


def test_others_get_403(client: TestClient, database: Database, alice: Person, bob: Person) -> None:
    before = stored(database)
    headers = signed_in(alice)
    new = {"email": "eve@example.com", "password": PASSWORD}
    for response in (
        client.get(USERS, headers=headers),
        client.post(USERS, headers=headers, json=new),
        client.patch(f"{USERS}{bob.id}", headers=headers, json={"full_name": "x"}),
        client.patch(f"{USERS}{alice.id}", headers=headers, json={"is_superuser": True}),
        client.delete(f"{USERS}{bob.id}", headers=headers),
        client.delete(f"{USERS}{alice.id}", headers=headers),
    ):
        assert response.status_code == 403
        assert response.json() == {"detail": "The user doesn't have enough privileges"}
    assert stored(database) == before


@pytest.mark.parametrize("change", [{"email": "thief@example.com"}, {"password": PASSWORD}])
def test_a_stolen_token_of_a_superuser_does_not_take_the_account(
    client: TestClient, database: Database, admin: Person, change: dict[str, str]
) -> None:
    before = stored(database)
    response = client.patch(f"{USERS}{admin.id}", headers=signed_in(admin), json=change)
    assert response.status_code == 403
    assert response.json() == {
        "detail": "Your own e-mail address and password are changed under /users/me"
    }
    assert stored(database) == before


@pytest.mark.parametrize("change", [{"is_superuser": False}, {"is_active": False}])
def test_a_superuser_does_not_demote_themselves_by_accident(
    client: TestClient, database: Database, admin: Person, change: dict[str, bool]
) -> None:
    add_person(database, "other admin", superuser=True)
    response = client.patch(f"{USERS}{admin.id}", headers=signed_in(admin), json=change)
    assert response.status_code == 403
    assert response.json() == {
        "detail": "Super users are not allowed to demote or deactivate themselves"
    }
    named = client.patch(
        f"{USERS}{admin.id}", headers=signed_in(admin), json={"full_name": "A", "is_active": True}
    )
    assert named.status_code == 200
