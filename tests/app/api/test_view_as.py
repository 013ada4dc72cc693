"""An admin looks at the app as a user: with that user's policies, and nothing can be written."""

from collections.abc import Callable
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.api.deps import ViewAsSessionDep
from app.core.sessions import view_as_session
from tests.app.api.support import API, ids, signed_in, stored
from tests.app.both_modes import only_with_row_security
from tests.hedgerow.audit.entries import elevations
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.sessions import visible

READ_ONLY, ACTIVE = "25006", "25001"


def address(person: Person) -> str:
    return f"{API}/admin/users/{person.id}/items/"


def test_it_shows_that_users_items_and_no_others(
    client: TestClient, alice: Person, bob: Person, admin: Person
) -> None:
    for person in (alice, bob, admin):
        response = client.get(address(person), headers=signed_in(admin))
        assert response.status_code == 200
        assert set(ids(response)) == {str(item) for item in person.items}
        assert response.json()["count"] == len(person.items)
    page = client.get(address(alice), headers=signed_in(admin), params={"limit": 1})
    assert len(ids(page)) == 1


def test_users_may_not_not_even_as_themselves(
    client: TestClient, database: Database, alice: Person, bob: Person
) -> None:
    for person in (alice, bob):
        response = client.get(address(person), headers=signed_in(alice))
        assert response.status_code == 403
    assert client.get(address(alice)).status_code == 401
    assert elevations(database, alice) == []


def test_an_unknown_user_is_not_found(client: TestClient, admin: Person) -> None:
    response = client.get(f"{API}/admin/users/{uuid4()}/items/", headers=signed_in(admin))
    assert response.status_code == 404
    assert response.json() == {"detail": "User not found"}


@only_with_row_security
def test_the_trail_names_both(
    client: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    headers = {**signed_in(admin), "X-Admin-Reason": "a complaint"}
    assert client.get(address(alice), headers=headers).status_code == 200
    (entry,) = elevations(database, admin)
    assert (entry["owner"], entry["role"]) == (str(alice.id), "read_only_admin")
    assert (entry["path"], entry["reason"]) == (address(alice), "a complaint")
    assert elevations(database, alice) == []


@pytest.mark.parametrize(
    ("statement", "sqlstate"),
    [
        ("UPDATE item SET title = 'x'", READ_ONLY),
        ("DELETE FROM item", READ_ONLY),
        ('UPDATE "user" SET is_active = false', READ_ONLY),
        ("SET TRANSACTION READ WRITE", ACTIVE),
        ("SET transaction_read_only = off", ACTIVE),
    ],
)
def test_nothing_can_be_written(
    statement: str,
    sqlstate: str,
    test_app: FastAPI,
    database: Database,
    alice: Person,
    admin: Person,
) -> None:
    """Whichever way a route tries: PostgreSQL refuses it."""

    @test_app.post("/write/{user_id}")
    def write(session: ViewAsSessionDep) -> str | None:
        visible(session)
        with pytest.raises(DBAPIError) as caught:
            session.execute(text(statement))
        return getattr(caught.value.orig, "sqlstate", None)

    with TestClient(test_app) as client:  # which makes the first superuser
        before = stored(database)
        response = client.post(f"/write/{alice.id}", headers=signed_in(admin))
    assert response.json() == sqlstate
    assert stored(database) == before


@only_with_row_security
def test_a_job_may_look_as_a_user_too(
    engine: object,
    every_connection_returned: Callable[[], None],
    database: Database,
    alice: Person,
    bob: Person,
    admin: Person,
) -> None:
    with view_as_session(alice.id, admin_id=admin.id, reason="a report") as session:
        assert visible(session) == set(alice.items)
        with pytest.raises(DBAPIError, match="read-only transaction"):
            session.execute(text("DELETE FROM item"))
    (entry,) = elevations(database, admin)
    assert (entry["owner"], entry["reason"]) == (str(alice.id), "a report")
