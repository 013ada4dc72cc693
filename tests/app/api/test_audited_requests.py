"""What the trail says of requests: who, why, in which request; and never a password's hash."""

from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import RowMapping

from app.core.config import settings
from tests.app.api.support import API, ids, signed_in, stored
from tests.app.both_modes import only_with_row_security
from tests.hedgerow.audit.entries import changes, elevations, entries
from tests.support.databases import Database
from tests.support.people import Person

pytestmark = only_with_row_security

BOTH_KINDS = pytest.mark.parametrize("items", ["/items/", "/async/items/"], ids=["sync", "async"])


def only(found: object) -> RowMapping:
    assert isinstance(found, list)
    (entry,) = found
    assert isinstance(entry, RowMapping)
    return entry


@BOTH_KINDS
def test_a_superusers_request_is_recorded_with_its_id(
    client: TestClient, database: Database, alice: Person, admin: Person, items: str
) -> None:
    request_id = str(uuid4())
    headers = {**signed_in(admin), "X-Request-ID": request_id, "X-Admin-Reason": "a complaint"}
    response = client.get(f"{API}{items}", headers=headers)
    assert set(ids(response)) == {str(item) for item in alice.items}
    entry = only(list(elevations(database, admin)))
    told = response.headers["X-Request-ID"]
    assert UUID(told) == UUID(request_id)
    assert entry["request_id"] == told
    assert (entry["method"], entry["path"]) == ("GET", f"{API}{items}")
    assert (entry["role"], entry["reason"]) == ("read_only_admin", "a complaint")


def test_a_request_without_an_id_gets_one(
    client: TestClient, database: Database, admin: Person
) -> None:
    for sent in ({}, {"X-Request-ID": "not an id"}):
        response = client.get(f"{API}/admin/items/", headers={**signed_in(admin), **sent})
        told = response.headers["X-Request-ID"]
        assert len(told) == 32
        assert elevations(database, admin)[-1]["request_id"] == told


@pytest.mark.parametrize(
    ("method", "path", "role"),
    [
        ("GET", "/items/{item}", "read_only_admin"),
        ("PUT", "/items/{item}", "admin"),
        ("GET", "/admin/items/{item}", "read_only_admin"),
        ("PUT", "/admin/items/{item}", "admin"),
        ("DELETE", "/admin/items/{item}", "admin"),
        ("GET", "/users/", "read_only_admin"),
        ("GET", "/users/{alice}", "read_only_admin"),
        ("PATCH", "/users/{alice}", "admin"),
        ("DELETE", "/users/{alice}", "admin"),
    ],
)
def test_each_route_asks_for_the_least(
    method: str,
    path: str,
    role: str,
    client: TestClient,
    database: Database,
    alice: Person,
    admin: Person,
) -> None:
    body = {"PUT": {"title": "Fixed"}, "PATCH": {"full_name": "Alice"}}.get(method)
    address = API + path.format(item=alice.items[0], alice=alice.id)
    response = client.request(method, address, headers=signed_in(admin), json=body)
    assert response.status_code == 200, response.text
    assert {entry["role"] for entry in elevations(database, admin)} == {role}
    assert bool(changes(database, admin)) == (method != "GET")


@BOTH_KINDS
def test_an_ordinary_users_request_is_not(
    client: TestClient, database: Database, alice: Person, items: str
) -> None:
    headers = {**signed_in(alice), "X-Admin-Reason": "none"}
    for method, address in (("GET", ""), ("POST", ""), ("GET", alice.items[0])):
        body = {"title": "Gate"} if method != "GET" else None
        response = client.request(method, f"{API}{items}{address}", headers=headers, json=body)
        assert response.status_code == 200
    assert entries(database, user_id=str(alice.id)) == []
    assert entries(database, owner=str(alice.id)) == []


@pytest.mark.parametrize(
    ("sent", "stored_as"),
    [
        (b"a complaint", "a complaint"),
        ("Kundin fragt: „wo?“ \N{HEDGEHOG}".encode(), "Kundin fragt: „wo?“ \N{HEDGEHOG}"),
        ("Grüße".encode("latin-1"), "Grüße"),
        (b"  spaced  ", "spaced"),
        (b"   ", None),
        (b"", None),
    ],
)
def test_the_reason_as_it_was_written(
    sent: bytes, stored_as: str | None, client: TestClient, database: Database, admin: Person
) -> None:
    headers = {name.encode(): value.encode() for name, value in signed_in(admin).items()}
    headers[b"X-Admin-Reason"] = sent
    assert client.get(f"{API}/admin/items/", headers=headers).status_code == 200
    assert only(list(elevations(database, admin)))["reason"] == stored_as


def test_a_reason_that_is_too_long(client: TestClient, database: Database, admin: Person) -> None:
    headers = {**signed_in(admin), "X-Admin-Reason": "x" * 1001}
    assert client.get(f"{API}/admin/items/", headers=headers).status_code == 422
    assert elevations(database, admin) == []


@pytest.fixture
def _particular(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "RLS_ADMIN_REASON_REQUIRED", True)


@pytest.mark.usefixtures("_particular")
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/items/"),
        ("GET", "/async/items/"),
        ("GET", "/admin/items/"),
        ("DELETE", "/admin/items/{item}"),
        ("GET", "/admin/users/{alice}/items/"),
        ("GET", "/users/"),
        ("GET", "/admin/audit/"),
    ],
)
def test_a_reason_may_be_required(
    method: str, path: str, client: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    before = stored(database)
    address = API + path.format(item=alice.items[0], alice=alice.id)
    for reason in ({}, {"X-Admin-Reason": "  "}):
        response = client.request(method, address, headers={**signed_in(admin), **reason})
        assert response.status_code == 400
        assert response.json() == {"detail": "Say why you ask, in the header X-Admin-Reason"}
    assert stored(database) == before
    assert elevations(database, admin) == []
    headers = {**signed_in(admin), "X-Admin-Reason": "a complaint"}
    assert client.request(method, address, headers=headers).status_code == 200
    assert {entry["reason"] for entry in elevations(database, admin)} == {"a complaint"}


@pytest.mark.usefixtures("_particular")
def test_of_an_ordinary_user_none_is(client: TestClient, alice: Person) -> None:
    assert client.get(f"{API}/items/", headers=signed_in(alice)).status_code == 200


def test_no_hash_of_a_password_is_recorded(
    client: TestClient, database: Database, admin: Person
) -> None:
    headers = signed_in(admin)
    new = {"email": "new@example.com", "password": "a quiet hedge", "is_active": True}
    created = client.post(f"{API}/users/", headers=headers, json=new)
    assert created.status_code == 200
    user = created.json()["id"]
    first = {row["hashed_password"] for row in stored(database)["user"]}
    changed = client.patch(
        f"{API}/users/{user}",
        headers=headers,
        json={"password": "a quieter hedge", "is_active": False},
    )
    assert changed.status_code == 200
    second = {row["hashed_password"] for row in stored(database)["user"]}
    assert len(first | second) > len(first)
    assert client.delete(f"{API}/users/{user}", headers=headers).status_code == 200

    recorded = changes(database, admin)
    assert [entry["command"] for entry in recorded] == ["INSERT", "UPDATE", "DELETE"]
    assert all("hashed_password" in entry["columns"] for entry in recorded)
    assert [set(entry["changes"]) <= {"is_active", "is_superuser"} for entry in recorded] == [
        True
    ] * 3
    assert recorded[1]["changes"] == {"is_active": [True, False]}
    everything = str([dict(entry) for entry in entries(database)])
    for hashed in (first | second) - {"none"}:
        assert hashed not in everything
    assert "quiet hedge" not in everything
