"""A user's own items."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from tests.app.api.support import API, ids, signed_in, stored, stored_item
from tests.support.databases import Database
from tests.support.people import Person

ITEMS = f"{API}/items/"


def test_an_item_is_created_read_changed_and_deleted(
    client: TestClient, database: Database, alice: Person
) -> None:
    headers = signed_in(alice)
    before = datetime.now(UTC)
    response = client.post(ITEMS, headers=headers, json={"title": "Hazel", "description": "old"})
    assert response.status_code == 200
    created = response.json()
    assert created.keys() == {"id", "title", "description", "owner_id", "created_at"}
    assert (created["title"], created["description"]) == ("Hazel", "old")
    assert created["owner_id"] == str(alice.id)
    assert before <= datetime.fromisoformat(created["created_at"]) <= datetime.now(UTC)

    address = ITEMS + created["id"]
    assert client.get(address, headers=headers).json() == created

    response = client.put(address, headers=headers, json={"title": "Hornbeam"})
    assert response.status_code == 200
    assert response.json() == {**created, "title": "Hornbeam"}
    assert stored_item(database, created["id"])["title"] == "Hornbeam"

    response = client.delete(address, headers=headers)
    assert response.status_code == 200
    assert response.json() == {"message": "Item deleted successfully"}
    assert client.get(address, headers=headers).status_code == 404
    assert created["id"] not in {str(row["id"]) for row in stored(database)["item"]}


def test_an_item_needs_a_title_only(client: TestClient, alice: Person) -> None:
    created = client.post(ITEMS, headers=signed_in(alice), json={"title": "Hazel"}).json()
    assert created["description"] is None


def test_a_change_leaves_what_is_not_given_and_clears_what_is_null(
    client: TestClient, alice: Person
) -> None:
    headers, address = signed_in(alice), f"{ITEMS}{alice.items[0]}"
    before = client.put(address, headers=headers, json={"description": "by the gate"}).json()
    assert client.put(address, headers=headers, json={}).json() == before
    cleared = client.put(address, headers=headers, json={"description": None}).json()
    assert cleared == {**before, "description": None}


def test_owner_and_id_in_a_body_change_nothing(
    client: TestClient, alice: Person, bob: Person
) -> None:
    """P30: no body gives a row away."""
    forged = {"title": "Hazel", "owner_id": str(bob.id), "id": str(uuid4())}
    created = client.post(ITEMS, headers=signed_in(alice), json=forged).json()
    assert created["owner_id"] == str(alice.id)
    assert created["id"] != forged["id"]
    address = f"{ITEMS}{alice.items[0]}"
    changed = client.put(address, headers=signed_in(alice), json=forged).json()
    assert changed["owner_id"] == str(alice.id)
    assert changed["id"] == str(alice.items[0])


def test_a_list_holds_ones_own_items_only(client: TestClient, alice: Person, bob: Person) -> None:
    response = client.get(ITEMS, headers=signed_in(alice))
    assert response.status_code == 200
    page = response.json()
    assert page.keys() == {"data", "count"}
    assert set(ids(response)) == {str(item) for item in alice.items}
    assert {row["owner_id"] for row in page["data"]} == {str(alice.id)}
    assert page["count"] == 2


def test_a_user_without_items_gets_an_empty_list(
    client: TestClient, alice: Person, bob: Person, database: Database
) -> None:
    with database.as_owner() as connection:
        connection.execute(text("DELETE FROM item WHERE owner_id = :id"), {"id": alice.id})
    response = client.get(ITEMS, headers=signed_in(alice))
    assert response.json() == {"data": [], "count": 0}


@pytest.fixture
def newest_first(database: Database, alice: Person, bob: Person) -> list[str]:
    """Give alice ten items of known ages, stored in another order; return their ids."""
    ids = [uuid4() for _ in range(10)]
    now = datetime.now(UTC)
    rows = [
        # Two of one age each: the order must be total, or a page could show a row twice.
        {"id": id, "owner": alice.id, "at": now - timedelta(days=age // 2)}
        for age, id in enumerate(ids)
    ]
    with database.as_owner() as connection:
        connection.execute(text("DELETE FROM item WHERE owner_id = :id"), {"id": alice.id})
        connection.execute(
            text(
                "INSERT INTO item (id, owner_id, title, created_at)"
                " VALUES (:id, :owner, 'an item', :at)"
            ),
            sorted(rows, key=lambda row: str(row["id"])),
        )
    rows.sort(key=lambda row: (row["at"], UUID(str(row["id"])).bytes), reverse=True)
    return [str(row["id"]) for row in rows]


def test_a_list_is_newest_first(client: TestClient, alice: Person, newest_first: list[str]) -> None:
    assert ids(client.get(ITEMS, headers=signed_in(alice))) == newest_first


def test_the_list_of_all_users_is_newest_first_too(
    client: TestClient, admin: Person, newest_first: list[str]
) -> None:
    listed = ids(client.get(ITEMS, headers=signed_in(admin)))
    assert [id for id in listed if id in newest_first] == newest_first


def test_pages_join_without_gap_or_repetition(
    client: TestClient, alice: Person, newest_first: list[str]
) -> None:
    pages = [
        client.get(ITEMS, headers=signed_in(alice), params={"skip": skip, "limit": 3})
        for skip in (0, 3, 6, 9)
    ]
    assert [len(ids(page)) for page in pages] == [3, 3, 3, 1]
    assert [id for page in pages for id in ids(page)] == newest_first


@pytest.mark.parametrize("page", [{"limit": 1}, {"skip": 9}, {"skip": 50}, {"skip": 2**31 - 1}])
def test_count_is_the_number_of_visible_rows_not_of_the_page(
    client: TestClient, alice: Person, newest_first: list[str], page: dict[str, int]
) -> None:
    assert client.get(ITEMS, headers=signed_in(alice), params=page).json()["count"] == 10


def test_everything_needs_a_token(client: TestClient, database: Database, alice: Person) -> None:
    before = stored(database)
    item = f"{ITEMS}{alice.items[0]}"
    body = {"title": "Hazel"}
    for response in (
        client.get(ITEMS),
        client.post(ITEMS, json=body),
        client.get(item),
        client.put(item, json=body),
        client.delete(item),
    ):
        assert response.status_code == 401
        assert response.json() == {"detail": "Not authenticated"}
        assert response.headers["WWW-Authenticate"] == "Bearer"
    assert stored(database) == before
