"""One's own items through asynchronous routes."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from app.api.deps import (
    AsyncAdminSessionDep,
    AsyncReadOnlyAdminSessionDep,
    AsyncRLSSessionDep,
    AsyncSessionDep,
)
from app.models import Item
from hedgerow import RowSecurity
from tests.app.api.support import API, ids, signed_in, stored
from tests.app.both_modes import only_with_row_security
from tests.support.databases import Database
from tests.support.people import Person

ITEMS = f"{API}/async/items/"


def test_they_answer_as_the_synchronous_ones(
    client: TestClient, alice: Person, bob: Person, admin: Person
) -> None:
    for person in (alice, bob, admin):
        headers = signed_in(person)
        page = client.get(ITEMS, headers=headers, params={"limit": 1})
        assert page.status_code == 200
        assert (
            page.json() == client.get(f"{API}/items/", headers=headers, params={"limit": 1}).json()
        )
        for item in (*alice.items, uuid4()):
            answer = client.get(f"{ITEMS}{item}", headers=headers)
            expected = client.get(f"{API}/items/{item}", headers=headers)
            assert (answer.status_code, answer.content) == (
                expected.status_code,
                expected.content,
            )


def test_an_item_is_created(client: TestClient, database: Database, alice: Person) -> None:
    response = client.post(ITEMS, headers=signed_in(alice), json={"title": "Hazel"})
    assert response.status_code == 200
    created = response.json()
    assert (created["title"], created["owner_id"]) == ("Hazel", str(alice.id))
    assert created["id"] in ids(client.get(ITEMS, headers=signed_in(alice)))


def test_a_token_is_needed(client: TestClient) -> None:
    assert client.get(ITEMS).status_code == 401
    assert client.get(ITEMS, headers={"Authorization": "Bearer x"}).status_code == 403


@pytest.fixture
def careless(test_app: FastAPI) -> Iterator[TestClient]:
    """Yield a client of an application whose asynchronous routes check nothing."""

    @test_app.get("/items/")
    async def read_items(session: AsyncRLSSessionDep) -> Any:
        await session.commit()
        return (await session.exec(select(Item))).all()

    @test_app.get("/admin/items/")
    async def read_all_items(session: AsyncAdminSessionDep) -> Any:
        return (await session.exec(select(Item))).all()

    @test_app.post("/read-only/items/")
    async def write_as_read_only_admin(session: AsyncReadOnlyAdminSessionDep, owner: UUID) -> Any:
        session.add(Item(title="planted", owner_id=owner))
        await session.commit()

    @test_app.get("/anonymous/items/")
    async def read_items_as_nobody(session: AsyncSessionDep) -> Any:
        return (await session.exec(select(Item))).all()

    with TestClient(test_app) as client:  # one event loop, as the pool of connections needs it
        yield client


def test_a_route_without_a_filter_shows_ones_own_rows(
    careless: TestClient, row_security: RowSecurity, alice: Person, bob: Person
) -> None:
    """P13: across a commit. With row security off the same route leaks."""
    everybody = {*alice.items, *bob.items}
    for person in (alice, bob, alice):
        rows = careless.get("/items/", headers=signed_in(person)).json()
        expected = set(person.items) if row_security.enabled else everybody
        assert {UUID(row["id"]) for row in rows} == expected


def test_an_admin_sees_all_users_rows_and_others_get_403(
    careless: TestClient, alice: Person, bob: Person, admin: Person
) -> None:
    rows = careless.get("/admin/items/", headers=signed_in(admin)).json()
    assert {UUID(row["id"]) for row in rows} == {*alice.items, *bob.items}
    assert careless.get("/admin/items/", headers=signed_in(alice)).status_code == 403


def test_a_read_only_admin_writes_nothing(
    careless: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    before = stored(database)
    response = careless.post(
        "/read-only/items/", headers=signed_in(admin), params={"owner": str(alice.id)}
    )
    assert response.status_code == 403
    assert response.json() == {"detail": "This access is read-only."}
    assert stored(database) == before


@only_with_row_security
def test_no_identity_is_500_also_after_somebodys_request(
    careless: TestClient, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """P11, P16: never the last user's rows, never an empty list."""
    assert len(careless.get("/items/", headers=signed_in(alice)).json()) == 2
    response = careless.get("/anonymous/items/")
    assert response.status_code == 500
    assert response.json() == {"detail": "Internal Server Error"}
    assert "use RLSSessionDep" in caplog.text
