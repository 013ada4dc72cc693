"""Other people's items: for a user they do not exist, for a superuser they do."""

from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import text

from tests.app.api.support import API, ids, signed_in, stored, stored_item
from tests.support.databases import Database
from tests.support.people import Person

ITEMS = f"{API}/items/"


def request(client: TestClient, method: str, item: UUID, person: Person) -> Response:
    body = {"title": "Mine now"} if method == "PUT" else None
    return client.request(method, f"{ITEMS}{item}", headers=signed_in(person), json=body)


def headers(response: Response) -> dict[str, str]:
    """Return the headers but for the request's own id, which is another each time."""
    told = {**response.headers}
    assert len(told.pop("x-request-id")) == 32
    return told


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_anothers_item_is_answered_as_a_missing_one(
    client: TestClient, database: Database, alice: Person, bob: Person, method: str
) -> None:
    """P25, P31: no answer tells that a hidden row exists."""
    before = stored(database)
    hidden = request(client, method, bob.items[0], alice)
    missing = request(client, method, uuid4(), alice)
    assert hidden.status_code == missing.status_code == 404
    assert hidden.content == missing.content
    assert hidden.json() == {"detail": "Item not found"}
    assert headers(hidden) == headers(missing)
    assert stored(database) == before


def test_a_superuser_lists_all_users_items(
    client: TestClient, alice: Person, bob: Person, admin: Person
) -> None:
    response = client.get(ITEMS, headers=signed_in(admin))
    assert set(ids(response)) == {str(item) for item in alice.items + bob.items}
    assert response.json()["count"] == 4
    page = client.get(ITEMS, headers=signed_in(admin), params={"limit": 1})
    assert len(ids(page)) == 1
    assert page.json()["count"] == 4


def test_a_superuser_reads_changes_and_deletes_anybodys_item(
    client: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    item = alice.items[0]
    assert request(client, "GET", item, admin).json()["owner_id"] == str(alice.id)
    changed = request(client, "PUT", item, admin)
    assert changed.status_code == 200
    assert stored_item(database, item)["title"] == "Mine now"
    assert stored_item(database, item)["owner_id"] == alice.id
    assert request(client, "DELETE", item, admin).status_code == 200
    assert item not in {row["id"] for row in stored(database)["item"]}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_a_missing_item_is_missing_for_a_superuser_too(
    client: TestClient, admin: Person, method: str
) -> None:
    response = request(client, method, uuid4(), admin)
    assert response.status_code == 404
    assert response.json() == {"detail": "Item not found"}


def test_an_item_that_a_superuser_creates_is_the_superusers(
    client: TestClient, admin: Person
) -> None:
    response = client.post(ITEMS, headers=signed_in(admin), json={"title": "Gate"})
    assert response.json()["owner_id"] == str(admin.id)


def test_a_superuser_who_loses_it_loses_it_with_the_next_request(
    client: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    """P11: what the last request was must not stay, neither in the token nor on the connection."""
    headers = signed_in(admin)
    own = client.post(ITEMS, headers=headers, json={"title": "Gate"}).json()["id"]
    assert client.get(ITEMS, headers=headers).json()["count"] == 3
    assert client.get(f"{API}/admin/items/", headers=headers).status_code == 200

    with database.as_owner() as connection:
        connection.execute(
            text('UPDATE "user" SET is_superuser = false WHERE id = :id'), {"id": admin.id}
        )

    response = client.get(ITEMS, headers=headers)
    assert ids(response) == [own]
    assert response.json()["count"] == 1
    assert client.get(f"{API}/admin/items/", headers=headers).status_code == 403
    assert client.get(f"{API}/users/", headers=headers).status_code == 403
    for method in ("GET", "PUT", "DELETE"):
        assert request(client, method, alice.items[0], admin).status_code == 404
