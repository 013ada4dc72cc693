"""Two users and an admin on one connection: nobody sees what the last request left there."""

import threading
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import select

from app.api.deps import AdminSessionDep, RLSSessionDep, SessionDep
from app.models import Item
from tests.app.api.support import API, signed_in
from tests.app.both_modes import only_with_row_security
from tests.support.databases import Database
from tests.support.people import Person, add_person, remove_all_users

pytestmark = only_with_row_security

USERS = ("alice", "bob")
PEOPLE = (*USERS, "admin")
ACTIONS = (
    "list", "list unfiltered", "commit and list", "roll back and list", "create", "delete",
    "ask for another's", "send nonsense", "fail", "break the transaction", "forget the identity",
)  # fmt: skip


@pytest.fixture
def routes(test_app: FastAPI) -> TestClient:
    """Return a client of the application with further routes, none of which filters."""

    @test_app.get("/unfiltered")
    def unfiltered(session: RLSSessionDep) -> Any:
        return session.exec(select(Item)).all()

    @test_app.get("/commit")
    def commit(session: RLSSessionDep) -> Any:
        session.commit()
        return session.exec(select(Item)).all()

    @test_app.get("/rollback")
    def rollback(session: RLSSessionDep) -> Any:
        session.rollback()
        return session.exec(select(Item)).all()

    @test_app.get("/fail")
    def fail(session: RLSSessionDep) -> Any:
        session.exec(select(Item)).all()
        raise HTTPException(418, "It fails half way")

    @test_app.get("/break")
    def break_transaction(session: RLSSessionDep) -> Any:
        session.exec(select(Item)).all()
        session.connection().execute(text("SELECT 'x'::int"))

    @test_app.get("/nobody")
    def nobody(session: SessionDep) -> Any:
        return session.exec(select(Item)).all()

    @test_app.get("/everybody")
    def everybody(session: AdminSessionDep) -> Any:
        session.commit()
        return session.exec(select(Item)).all()

    return TestClient(test_app)


class Scene:
    """Three people, and what each of them should see."""

    def __init__(self, client: TestClient, database: Database) -> None:
        self.client = client
        remove_all_users(database)
        self.people = {
            name: add_person(database, name, items=1, superuser=name == "admin") for name in PEOPLE
        }
        self.items = {name: set(person.items) for name, person in self.people.items()}

    def visible_to(self, name: str) -> set[UUID]:
        return set[UUID]().union(*self.items.values()) if name == "admin" else self.items[name]

    def get(self, name: str, address: str, status: int = 200) -> Any:
        response = self.client.get(address, headers=signed_in(self.people[name]))
        assert response.status_code == status
        return response.json()

    def check(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        assert {UUID(row["id"]) for row in rows} == self.visible_to(name)

    def act(self, name: str, action: str) -> None:
        headers = signed_in(self.people[name])
        items = f"{API}/items/"
        match action:
            case "list":
                page = self.get(name, items)
                self.check(name, page["data"])
                assert page["count"] == len(self.visible_to(name))
            case "list unfiltered":
                self.check(name, self.get(name, "/unfiltered"))
            case "commit and list":
                self.check(name, self.get(name, "/everybody" if name == "admin" else "/commit"))
            case "roll back and list":
                self.check(name, self.get(name, "/rollback"))
            case "create":
                response = self.client.post(items, headers=headers, json={"title": "new"})
                self.items[name].add(UUID(response.json()["id"]))
            case "delete" if self.items[name]:
                item = min(self.items[name])
                assert self.client.delete(f"{items}{item}", headers=headers).status_code == 200
                self.items[name].remove(item)
            case "ask for another's":
                for item in self.visible_to("admin") - self.visible_to(name):
                    self.get(name, f"{items}{item}", 404)
            case "send nonsense":
                response = self.client.post(items, headers=headers, json={"title": ""})
                assert response.status_code == 422
            case "fail":
                self.get(name, "/fail", 418)
            case "break the transaction":
                self.get(name, "/break", 422)
            case "forget the identity":
                assert self.client.get("/nobody").status_code == 500


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    steps=st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.sampled_from(ACTIONS)), min_size=4, max_size=12
    )
)
def test_no_request_sees_what_another_one_left_on_the_connection(
    routes: TestClient, database: Database, steps: list[tuple[str, str]]
) -> None:
    """P11, P13: on a pool of one, with commits, errors and admins in between."""
    scene = Scene(routes, database)
    for name, action in steps:
        scene.act(name, action)
    for name in PEOPLE:
        scene.act(name, "list unfiltered")


def test_requests_at_the_same_time_share_the_connection_and_nothing_else(
    client: TestClient, alice: Person, bob: Person
) -> None:
    """P11, P20: the identity belongs to the session, whichever thread of the pool serves it."""
    seen: list[tuple[Person, set[str]]] = []

    def ask(person: Person) -> None:
        for _ in range(15):
            page = client.get(f"{API}/items/", headers=signed_in(person)).json()
            seen.append((person, {row["id"] for row in page["data"]}))

    threads = [threading.Thread(target=ask, args=(person,)) for person in (alice, bob)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 30
    assert all(rows == {str(item) for item in person.items} for person, rows in seen)
