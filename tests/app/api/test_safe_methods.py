"""A route that writes in a GET by mistake, and those that do so on purpose."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.testclient import TestClient

from app.api.deps import (
    AdminSessionDep,
    AsyncRLSSessionDep,
    CurrentUser,
    MayWrite,
    RLSSessionDep,
    get_current_user,
)
from app.models import Item
from hedgerow import identity_of
from tests.app.api.support import signed_in, stored
from tests.support.databases import Database
from tests.support.people import Person

SERVER_ERROR = (500, {"detail": "Internal Server Error"})


@pytest.fixture
def client(test_app: FastAPI) -> Iterator[TestClient]:
    """Yield a client of an application whose GET routes write."""

    def add_item(session: Any, user_id: Any) -> None:
        session.add(Item(title="written", owner_id=user_id))
        session.commit()

    @test_app.get("/mistake")
    def write_by_mistake(session: RLSSessionDep, user: CurrentUser) -> None:
        add_item(session, user.id)

    @test_app.get("/async/mistake")
    async def write_by_mistake_async(session: AsyncRLSSessionDep) -> None:
        await session.run_sync(lambda plain: add_item(plain, _who(plain)))

    @test_app.get("/admin/mistake")
    def write_as_admin_by_mistake(session: AdminSessionDep, user: CurrentUser) -> None:
        add_item(session, user.id)

    @test_app.get("/on-purpose", dependencies=[MayWrite])
    def write_on_purpose(session: RLSSessionDep, user: CurrentUser) -> None:
        add_item(session, user.id)

    @test_app.get("/async/on-purpose", dependencies=[MayWrite])
    async def write_on_purpose_async(session: AsyncRLSSessionDep) -> None:
        await session.run_sync(lambda plain: add_item(plain, _who(plain)))

    @test_app.get("/admin/on-purpose", dependencies=[MayWrite])
    def write_as_admin_on_purpose(session: AdminSessionDep, user: CurrentUser) -> None:
        add_item(session, user.id)

    @test_app.get("/after", dependencies=[Depends(get_current_user), MayWrite])
    def ask_too_late(session: RLSSessionDep, user: CurrentUser) -> None:
        add_item(session, user.id)

    late = APIRouter(dependencies=[Depends(get_current_user)])
    late.get("/router/after", dependencies=[MayWrite])(write_on_purpose)
    test_app.include_router(late)
    early = APIRouter(dependencies=[MayWrite, Depends(get_current_user)])
    early.get("/router/before")(write_on_purpose)
    test_app.include_router(early)
    with TestClient(test_app) as client:
        yield client


def _who(session: Any) -> Any:
    identity = identity_of(session)
    assert identity is not None
    return identity.user_id


def ask(client: TestClient, path: str, person: Person) -> tuple[int, Any]:
    response = client.get(path, headers=signed_in(person))
    return response.status_code, response.json()


@pytest.mark.parametrize("path", ["/mistake", "/async/mistake", "/admin/mistake"])
def test_a_get_that_writes_by_mistake_is_told_the_way_out(
    path: str,
    client: TestClient,
    database: Database,
    alice: Person,
    admin: Person,
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = stored(database)
    for person in (admin,) if "admin" in path else (alice, admin):
        caplog.clear()
        assert ask(client, path, person) == SERVER_ERROR
        [record] = [record for record in caplog.records if record.name == "hedgerow.fastapi"]
        assert record.levelno == logging.ERROR
        assert f"GET {path} wrote: INSERT on item: " in record.getMessage()
        assert "dependencies=[MayWrite] in its decorator" in record.getMessage()
    assert stored(database) == before


@pytest.mark.parametrize(
    "path", ["/on-purpose", "/async/on-purpose", "/admin/on-purpose", "/router/before"]
)
def test_a_get_that_writes_on_purpose(
    path: str, client: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    people = (admin,) if "admin" in path else (alice, admin)
    for person in people:
        assert ask(client, path, person) == (200, None)
    written = [item["owner_id"] for item in stored(database)["item"] if item["title"] == "written"]
    assert sorted(written) == sorted(person.id for person in people)


@pytest.mark.parametrize("path", ["/after", "/router/after"])
def test_asked_for_after_the_session_it_says_where_to_stand(
    path: str, client: TestClient, alice: Person, caplog: pytest.LogCaptureFixture
) -> None:
    assert ask(client, path, alice) == SERVER_ERROR
    assert f"GET {path}: MayWrite comes too late" in caplog.text
    assert "before that one" in caplog.text
