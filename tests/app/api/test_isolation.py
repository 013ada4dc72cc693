"""What keeps users apart where a route forgets to: PostgreSQL, and PostgreSQL alone."""

import logging
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from app import crud
from app.api.deps import (
    AdminSessionDep,
    CurrentUser,
    ReadOnlyAdminSessionDep,
    RLSSessionDep,
    SessionDep,
)
from app.models import Item, ItemCreate
from hedgerow import RowSecurity
from tests.app.api.support import signed_in, stored
from tests.app.both_modes import only_with_row_security
from tests.support.databases import Database
from tests.support.people import Person


@pytest.fixture
def careless(test_app: FastAPI) -> TestClient:
    """Return a client of an application whose routes check nothing."""

    @test_app.get("/items/")
    def read_items(session: RLSSessionDep, current_user: CurrentUser) -> Any:
        return session.exec(select(Item)).all()

    @test_app.get("/admin/items/")
    def read_all_items(session: AdminSessionDep, current_user: CurrentUser) -> Any:
        return session.exec(select(Item)).all()

    @test_app.get("/anonymous/items/")
    def read_items_as_nobody(session: SessionDep) -> Any:
        return session.exec(select(Item)).all()

    @test_app.get("/signed-in/items/")
    def read_items_with_a_plain_session(session: SessionDep, current_user: CurrentUser) -> Any:
        return session.exec(select(Item)).all()

    @test_app.post("/items/")
    def write_for_anybody(session: RLSSessionDep, owner_id: UUID) -> Any:
        return crud.create_item(
            session=session, item_in=ItemCreate(title="planted"), owner_id=owner_id
        )

    @test_app.get("/read-only/items/")
    def read_as_read_only_admin(session: ReadOnlyAdminSessionDep) -> Any:
        return session.exec(select(Item)).all()

    @test_app.post("/read-only/items/")
    def write_as_read_only_admin(session: ReadOnlyAdminSessionDep, owner_id: UUID) -> Any:
        return crud.create_item(
            session=session, item_in=ItemCreate(title="planted"), owner_id=owner_id
        )

    return TestClient(test_app)


def seen(client: TestClient, address: str, person: Person) -> set[UUID]:
    response = client.get(address, headers=signed_in(person))
    assert response.status_code == 200
    return {UUID(row["id"]) for row in response.json()}


@pytest.mark.parametrize("address", ["/items/", "/signed-in/items/"])
def test_a_route_without_a_filter_shows_ones_own_rows(
    careless: TestClient, row_security: RowSecurity, alice: Person, bob: Person, address: str
) -> None:
    """With row security off the same route leaks: nothing of the application's filters here."""
    everybody = {*alice.items, *bob.items}
    for person in (alice, bob):
        expected = set(person.items) if row_security.enabled else everybody
        assert seen(careless, address, person) == expected


def test_an_admins_routes_show_all_users_rows(
    careless: TestClient, alice: Person, bob: Person, admin: Person
) -> None:
    everybody = {*alice.items, *bob.items}
    for address in ("/items/", "/admin/items/", "/read-only/items/"):
        assert seen(careless, address, admin) == everybody


@pytest.mark.parametrize("address", ["/admin/items/", "/read-only/items/"])
def test_admin_sessions_are_for_superusers(
    careless: TestClient, alice: Person, address: str
) -> None:
    response = careless.get(address, headers=signed_in(alice))
    assert response.status_code == 403
    assert response.json() == {"detail": "The user doesn't have enough privileges"}


@only_with_row_security
def test_no_identity_is_500_and_the_log_names_the_fix(
    careless: TestClient, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    """P11, P16: also on the connection that has just served somebody, and never an empty list."""
    assert seen(careless, "/items/", alice) == set(alice.items)
    response = careless.get("/anonymous/items/")
    assert response.status_code == 500
    assert response.json() == {"detail": "Internal Server Error"}
    (record,) = (record for record in caplog.records if record.levelno >= logging.WARNING)
    assert record.levelno == logging.ERROR
    assert "GET /anonymous/items/" in record.getMessage()
    assert "use RLSSessionDep" in record.getMessage()
    # The refusal leaves nothing behind on the one connection.
    assert seen(careless, "/items/", alice) == set(alice.items)


@only_with_row_security
def test_a_row_for_somebody_else_is_403_and_the_log_names_table_and_command(
    careless: TestClient,
    database: Database,
    alice: Person,
    bob: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = stored(database)
    response = careless.post("/items/", headers=signed_in(alice), params={"owner_id": str(bob.id)})
    assert response.status_code == 403
    assert response.json() == {"detail": "You may not write this."}
    assert "POST /items/" in caplog.text
    assert 'table "item"' in caplog.text
    assert "INSERT" in caplog.text
    assert "planted" not in caplog.text
    assert stored(database) == before


def test_a_read_only_admin_writes_nothing(
    careless: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    before = stored(database)
    response = careless.post(
        "/read-only/items/", headers=signed_in(admin), params={"owner_id": str(alice.id)}
    )
    assert response.status_code == 403
    assert response.json() == {"detail": "This access is read-only."}
    assert stored(database) == before


def test_the_log_tells_each_transactions_identity(
    careless: TestClient,
    alice: Person,
    admin: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.DEBUG, "app.core.rls"):
        seen(careless, "/items/", alice)
        seen(careless, "/read-only/items/", admin)
    identities = [f"user {alice.id}", f"user {admin.id}", f"read_only_admin {admin.id}"]
    told = [record.getMessage() for record in caplog.records if record.name == "app.core.rls"]
    assert told == [f"transaction runs as {identity}" for identity in identities]
