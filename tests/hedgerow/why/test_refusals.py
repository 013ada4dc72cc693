"""Why a request was refused, in the log of an application that asked for it."""

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated
from uuid import UUID, uuid4

import pytest
from fastapi import Depends, FastAPI, HTTPException
from fastapi.testclient import TestClient
from sqlalchemy import URL, Engine, NullPool, create_engine, event, insert
from sqlalchemy.orm import Session
from sqlmodel import col, select

import hedgerow
from app.core.project import project
from app.models import Item
from hedgerow import Identity
from hedgerow.config.project import Project
from hedgerow.fastapi import explain_refusals, install_error_handlers
from tests.support import declared
from tests.support.databases import Database, clone_template, drop
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY

LOGGER = project.row_security.logger


def application(database: Database, project: Project | None) -> TestClient:
    """Return a client of an application that explains its refusals, where it is given a project."""
    app = FastAPI()
    install_error_handlers(app)
    if project is not None:
        explain_refusals(app, project)
    engine = create_engine(database.app_url, poolclass=NullPool)

    def get_session(user: UUID | None = None) -> Iterator[Session]:
        with Session(engine) as session:
            if user:
                hedgerow.bind(session, Identity(user), ROW_SECURITY)
            yield session

    Bound = Annotated[Session, Depends(get_session)]

    @app.get("/items/{id}")
    def read(id: UUID, session: Bound) -> str:
        return _found(session.get(Item, id)).title

    @app.get("/mine/{id}")
    async def read_mine(id: UUID, session: Bound) -> str:
        nobody = select(Item).where(col(Item.id) == id, col(Item.title) == "another")
        return _found(session.scalar(nobody)).title

    @app.post("/items/")
    def create(owner: UUID, session: Bound) -> None:
        session.add(Item(owner_id=owner, title="a secret title"))
        session.commit()

    @app.get("/other/{id}")
    def other(id: UUID) -> None:
        raise HTTPException(404)

    return TestClient(app)


def _found(item: Item | None) -> Item:
    if item is None:
        raise HTTPException(404, "Item not found")
    return item


@pytest.fixture
def at(database: Database) -> Project:
    return replace(project, owner_url=lambda: database.owner_url)


@pytest.fixture
def log(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, LOGGER)
    return caplog


def test_a_hidden_row(
    database: Database, at: Project, alice: Person, bob: Person, log: pytest.LogCaptureFixture
) -> None:
    client = application(database, at)
    response = client.get(f"/items/{bob.items[0]}", params={"user": str(alice.id)})
    assert (response.status_code, response.json()) == (404, {"detail": "Item not found"})
    assert log.messages == [
        f"GET /items/{bob.items[0]}: 404: user {alice.id} may not see the row id={bob.items[0]} of"
        " item (policy): No policy lets the row through (SELECT, USING)."
    ]


def test_a_row_that_is_missing_and_one_that_only_the_query_leaves_out(
    database: Database, at: Project, alice: Person, log: pytest.LogCaptureFixture
) -> None:
    client = application(database, at)
    nowhere = uuid4()
    client.get(f"/items/{nowhere}", params={"user": str(alice.id)})
    client.get(f"/mine/{alice.items[0]}", params={"user": str(alice.id)})
    missing, left_out = log.messages
    assert "(no such row): No row has this key" in missing
    assert f"user {alice.id} may see the row id={alice.items[0]} of item (policy)" in left_out


def test_a_refused_write(
    database: Database, at: Project, alice: Person, bob: Person, log: pytest.LogCaptureFixture
) -> None:
    """It names the rule; the values of the row that was not made stay out."""
    client = application(database, at)
    response = client.post("/items/", params={"user": str(alice.id), "owner": str(bob.id)})
    assert response.status_code == 403
    [line] = [record.getMessage() for record in log.records if record.name == LOGGER]
    assert line == (
        f"POST /items/: 403: user {alice.id} may not INSERT on item: item_owner_insert (INSERT,"
        " WITH CHECK): (owner_id = ( SELECT rls.user_id() AS user_id))"
    )
    assert "a secret title" not in log.text


def test_what_is_no_refusal_of_row_security_is_not_explained(
    database: Database, at: Project, alice: Person, log: pytest.LogCaptureFixture
) -> None:
    client = application(database, at)
    assert client.get(f"/other/{uuid4()}").status_code == 404
    assert client.get("/nowhere").status_code == 404
    assert client.get(f"/items/{alice.items[0]}", params={"user": str(alice.id)}).status_code == 200
    assert log.messages == []


def test_an_explanation_that_fails_leaves_the_answer_alone(
    database: Database, at: Project, alice: Person, bob: Person, log: pytest.LogCaptureFixture
) -> None:
    nowhere = URL.create("postgresql+psycopg", "owner", "x", "127.0.0.1", 1, "nowhere")
    client = application(database, replace(at, owner_url=lambda: nowhere))
    response = client.get(f"/items/{bob.items[0]}", params={"user": str(alice.id)})
    assert response.status_code == 404
    [line] = log.messages
    assert "cannot tell why: Cannot connect to PostgreSQL as 'owner' at 127.0.0.1:1" in line


def test_where_it_is_not_installed_nobody_asks(
    database: Database, alice: Person, bob: Person, log: pytest.LogCaptureFixture
) -> None:
    logins = []

    def note(_: object, record: object, arguments: list[object], named: dict[str, object]) -> None:
        logins.append(named["user"])

    event.listen(Engine, "do_connect", note)
    try:
        client = application(database, None)
        client.get(f"/items/{bob.items[0]}", params={"user": str(alice.id)})
    finally:
        event.remove(Engine, "do_connect", note)
    assert logins == ["rls_app_user"]
    assert log.messages == []


@pytest.fixture
def of_every_declaration(server: URL) -> Iterator[Database]:
    own = clone_template(server)
    declared.declare_in(own)
    declared.fill(own)
    yield own
    drop(own)


def test_a_key_that_refers_to_a_hidden_row(
    of_every_declaration: Database, at: Project, log: pytest.LogCaptureFixture
) -> None:
    """P51: the answer is that of any conflict; the log names the key."""
    app = FastAPI()
    install_error_handlers(app)
    explain_refusals(app, replace(at, owner_url=lambda: of_every_declaration.owner_url))
    engine = create_engine(of_every_declaration.app_url, poolclass=NullPool)

    @app.post("/tickets/")
    def create(project_id: UUID) -> None:
        with Session(engine) as session:
            hedgerow.bind(session, Identity(declared.ALICE), ROW_SECURITY)
            session.execute(
                insert(declared.TICKET),
                {"id": uuid4(), "owner_id": declared.ALICE, "project_id": project_id},
            )
            session.commit()

    client = TestClient(app)
    for project_id in (declared.row_of(declared.PROJECT, declared.USERS[4]), uuid4()):
        response = client.post("/tickets/", params={"project_id": str(project_id)})
        assert response.status_code == 409
        assert response.json() == {"detail": "This conflicts with existing data."}
    said = [record.getMessage() for record in log.records if record.name == LOGGER]
    assert (
        said
        == [
            f"POST /tickets/: 409: user {declared.ALICE} may not INSERT on ticket: the key"
            " project_id refers to a row of project that this user cannot see, or that does not"
            " exist"
        ]
        * 2
    )
