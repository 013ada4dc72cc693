"""The audit trail, under /admin/audit."""

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app.core.sessions import admin_session
from app.models import Item
from tests.app.api.support import API, ids, signed_in
from tests.app.both_modes import only_with_row_security
from tests.support.databases import Database
from tests.support.people import Person

TRAIL = f"{API}/admin/audit/"


def change_title(admin: Person, item: Any, reason: str = "a complaint") -> None:
    with admin_session(admin.id, reason=reason, read_only=False) as session:
        found = session.get(Item, item)
        assert found is not None
        found.title = "Fixed"
        session.commit()


def entries(client: TestClient, admin: Person, **filters: Any) -> list[dict[str, Any]]:
    response = client.get(TRAIL, headers=signed_in(admin), params=filters)
    assert response.status_code == 200, response.text
    data: list[dict[str, Any]] = response.json()["data"]
    return data


@only_with_row_security
def test_the_request_that_reads_it_is_its_newest_entry(client: TestClient, admin: Person) -> None:
    newest = entries(client, admin)[0]
    assert (newest["event"], newest["role"]) == ("elevation", "read_only_admin")
    assert newest["user_id"] == str(admin.id)
    assert (newest["method"], newest["path"]) == ("GET", TRAIL)
    assert len(bytes.fromhex(newest["hash"])) == 32


@only_with_row_security
def test_a_change_is_listed_with_its_elevation(
    client: TestClient, alice: Person, admin: Person
) -> None:
    change_title(admin, alice.items[0])
    _, change, statement, elevation = entries(client, admin, user_id=admin.id)
    assert (statement["event"], statement["command"]) == ("statement", "UPDATE")
    assert (statement["table_name"], statement["elevation"]) == ("public.item", elevation["id"])
    assert (change["event"], change["command"]) == ("change", "UPDATE")
    assert (change["table_name"], change["columns"]) == ("public.item", ["title"])
    assert change["row_key"] == {"id": str(alice.items[0])}
    assert change["owner"] == str(alice.id)
    assert (change["elevation"], elevation["reason"]) == (elevation["id"], "a complaint")


@only_with_row_security
def test_filters_and_pages(
    client: TestClient, database: Database, alice: Person, bob: Person, admin: Person
) -> None:
    change_title(admin, alice.items[0])
    change_title(admin, bob.items[0])
    by_admin = {"user_id": str(admin.id)}
    everything = entries(client, admin, **by_admin)
    assert len(everything) == 7
    of_bob, of_alice = everything[1], everything[4]
    changes = [of_bob["id"], of_alice["id"]]

    def found(**filters: Any) -> list[int]:
        return [entry["id"] for entry in entries(client, admin, **by_admin, **filters)]

    assert found(event="change") == changes
    statements = [everything[2]["id"], everything[5]["id"]]
    assert found(event="statement") == statements
    assert found(table="item") == [changes[0], statements[0], changes[1], statements[1]]
    assert found(role="admin", event="change") == changes
    assert found(owner=alice.id) == [of_alice["id"]]
    assert found(tenant="7") == []
    set_tenant = text("UPDATE rls.audit SET tenant = :tenant WHERE id = :id")
    with database.as_owner() as owner:
        owner.execute(set_tenant, {"id": of_bob["id"], "tenant": "7"})
    assert found(tenant="7") == [of_bob["id"]]
    with database.as_owner() as owner:  # or the entry would not fit its hash, in other tests too
        owner.execute(set_tenant, {"id": of_bob["id"], "tenant": None})
    assert found(elevation=of_bob["elevation"]) == [changes[0], statements[0]]
    assert found(until=everything[3]["at"]) == [entry["id"] for entry in everything[4:]]
    assert found(since=everything[3]["at"], event="change") == [of_bob["id"]]
    assert found(event="change", skip=1, limit=1) == [of_alice["id"]]
    naive = datetime.fromisoformat(everything[3]["at"]).replace(tzinfo=None).isoformat()
    assert found(since=naive, event="change") == [of_bob["id"]]
    page = client.get(
        TRAIL, headers=signed_in(admin), params={**by_admin, "event": "change", "limit": 1}
    )
    assert (len(ids(page)), page.json()["count"]) == (1, 2)


@only_with_row_security
def test_nobody_else_may_read_it(client: TestClient, alice: Person) -> None:
    response = client.get(TRAIL, headers=signed_in(alice))
    assert response.status_code == 403
    assert response.json() == {"detail": "The user doesn't have enough privileges"}
    assert client.get(TRAIL).status_code == 401


@only_with_row_security
@pytest.mark.parametrize(
    ("filters", "sentence"),
    [
        ({"since": "yesterday"}, "Input should be a valid datetime"),
        ({"user_id": "x"}, "Input should be a valid UUID"),
        (
            {"event": "party"},
            "Input should be 'elevation', 'login', 'statement', 'change' or 'retention'",
        ),
        ({"elevation": 0}, "Input should be greater than or equal to 1"),
        ({"elevation": 2**63}, "Input should be less than or equal to"),
        ({"table": "a\x00b"}, "Text must not contain a NUL character"),
        ({"login": "x" * 256}, "String should have at most 255 characters"),
        ({"tenant": "a\x00b"}, "Text must not contain a NUL character"),
        ({"limit": 1001}, "Input should be less than or equal to 1000"),
    ],
)
def test_bad_filters_are_told(
    client: TestClient, admin: Person, filters: dict[str, Any], sentence: str
) -> None:
    response = client.get(TRAIL, headers=signed_in(admin), params=filters)
    assert response.status_code == 422
    (detail,) = response.json()["detail"]
    assert detail["msg"].startswith(sentence)
    assert detail["loc"] == ["query", *filters]


@only_with_row_security
@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"])
def test_the_ends_of_time_are_times(client: TestClient, admin: Person, moment: str) -> None:
    assert len(entries(client, admin, since=moment, user_id=uuid4())) == 0
