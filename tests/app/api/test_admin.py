"""All users' items, under /admin."""

from uuid import uuid4

import pytest
from fastapi.testclient import TestClient

from tests.app.api.support import API, ids, signed_in, stored, stored_item
from tests.support.databases import Database
from tests.support.people import Person

ITEMS = f"{API}/admin/items/"


def test_a_superuser_lists_all_users_items_newest_first(
    client: TestClient, database: Database, alice: Person, bob: Person, admin: Person
) -> None:
    response = client.get(ITEMS, headers=signed_in(admin))
    assert response.status_code == 200
    assert response.json()["count"] == 4
    newest_first = sorted(
        stored(database)["item"], key=lambda row: (row["created_at"], row["id"].bytes), reverse=True
    )
    assert ids(response) == [str(row["id"]) for row in newest_first]
    page = client.get(ITEMS, headers=signed_in(admin), params={"skip": 1, "limit": 2})
    assert ids(page) == ids(response)[1:3]
    assert page.json()["count"] == 4


def test_a_superuser_reads_and_changes_anybodys_item(
    client: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    address = f"{ITEMS}{alice.items[0]}"
    read = client.get(address, headers=signed_in(admin))
    assert read.status_code == 200
    changed = client.put(address, headers=signed_in(admin), json={"title": "Fixed"})
    assert changed.status_code == 200
    assert changed.json() == {**read.json(), "title": "Fixed"}
    row = stored_item(database, alice.items[0])
    assert (row["title"], row["owner_id"]) == ("Fixed", alice.id)


def test_a_superuser_deletes_anybodys_item(
    client: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    response = client.delete(f"{ITEMS}{alice.items[0]}", headers=signed_in(admin))
    assert response.status_code == 200
    assert response.json() == {"message": "Item deleted successfully"}
    assert {row["id"] for row in stored(database)["item"]} == {alice.items[1]}


def test_a_superuser_creates_an_item_for_a_user_who_then_sees_it(
    client: TestClient, alice: Person, bob: Person, admin: Person
) -> None:
    response = client.post(
        ITEMS, headers=signed_in(admin), params={"owner_id": str(alice.id)}, json={"title": "Gift"}
    )
    assert response.status_code == 200
    created = response.json()
    assert created["owner_id"] == str(alice.id)
    assert created["id"] in ids(client.get(f"{API}/items/", headers=signed_in(alice)))
    assert created["id"] not in ids(client.get(f"{API}/items/", headers=signed_in(bob)))


def test_an_item_for_nobody_is_refused(
    client: TestClient, database: Database, admin: Person
) -> None:
    before = stored(database)
    response = client.post(
        ITEMS, headers=signed_in(admin), params={"owner_id": str(uuid4())}, json={"title": "Gift"}
    )
    assert response.status_code == 404
    assert response.json() == {"detail": "User not found"}
    assert stored(database) == before


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_missing_item_is_404(client: TestClient, admin: Person, method: str) -> None:
    body = {"title": "Fixed"} if method == "PUT" else None
    response = client.request(method, f"{ITEMS}{uuid4()}", headers=signed_in(admin), json=body)
    assert response.status_code == 404
    assert response.json() == {"detail": "Item not found"}


@pytest.mark.parametrize("own", [True, False], ids=["own item", "another's item"])
def test_others_get_403_whatever_they_ask(
    client: TestClient, database: Database, alice: Person, bob: Person, own: bool
) -> None:
    before = stored(database)
    headers, body = signed_in(alice), {"title": "Mine now"}
    address = f"{ITEMS}{(alice if own else bob).items[0]}"
    owner = {"owner_id": str((alice if own else bob).id)}
    for response in (
        client.get(ITEMS, headers=headers),
        client.post(ITEMS, headers=headers, params=owner, json=body),
        client.get(address, headers=headers),
        client.put(address, headers=headers, json=body),
        client.delete(address, headers=headers),
    ):
        assert response.status_code == 403
        assert response.json() == {"detail": "The user doesn't have enough privileges"}
    assert stored(database) == before


def test_nobody_gets_401(client: TestClient, alice: Person) -> None:
    assert client.get(ITEMS).status_code == 401
    assert client.delete(f"{ITEMS}{alice.items[0]}").status_code == 401
