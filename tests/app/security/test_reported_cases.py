"""What is reached through a key from another user's rows: over HTTP, and with SQL by hand.

Each table is declared in one line; without it, it is closed to the application.
"""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import select

from app.api.deps import CurrentUser, RLSSessionDep
from app.core.rls import row_security as configured_row_security
from app.core.sessions import user_session
from app.main import create_app
from hedgerow import RowSecurity
from hedgerow.errors import INSUFFICIENT_PRIVILEGE
from tests.app.api.support import signed_in
from tests.app.security.reported_models import METADATA, MODELS
from tests.hedgerow.policies.playground import Playground
from tests.support.databases import Database, clone_template, drop
from tests.support.people import Person

FOREIGN_KEY, UNIQUE = "23503", "23505"
CONFLICT = (409, {"detail": "This conflicts with existing data."})
REFUSED = (403, {"detail": "You may not write this."})
TABLES = {str(model.__tablename__): model for model in MODELS}


@pytest.fixture(scope="session")
def row_security() -> RowSecurity:
    """Return the application's own."""
    return configured_row_security


@pytest.fixture(scope="module", params=[True], ids=["declared"])
def declared(request: pytest.FixtureRequest) -> bool:
    """Return whether the tables are made with what their declarations ask for."""
    return bool(request.param)


@pytest.fixture(scope="module")
def database(server: URL, row_security: RowSecurity, declared: bool) -> Iterator[Database]:
    """Yield a copy of the migrated database with these tables."""
    database = clone_template(server)
    with database.as_owner() as owner:
        for table in TABLES:  # the project may have grown one of the same name
            owner.execute(text(f"DROP TABLE IF EXISTS {table} CASCADE"))
        if declared:
            Playground(owner, database, row_security).protect(METADATA)
        else:
            METADATA.create_all(owner)
    yield database
    drop(database)


@pytest.fixture
def client(engine: Engine, every_connection_returned: None) -> TestClient:
    """Return a client of an application with the routes that people write for such tables."""
    app = create_app()

    @app.get("/{table}/")
    def read(session: RLSSessionDep, table: str) -> list[Any]:
        return list(session.exec(select(TABLES[table])))

    @app.post("/{table}/")
    def create(
        session: RLSSessionDep, user: CurrentUser, table: str, values: dict[str, str]
    ) -> Any:
        row = TABLES[table].model_validate({"owner_id": user.id, **values})
        session.add(row)
        session.commit()
        return row

    @app.delete("/ticket_tag/{ticket_id}")
    def unlink(session: RLSSessionDep, ticket_id: UUID) -> int:
        links = text("DELETE FROM ticket_tag WHERE ticket_id = :ticket").bindparams(
            ticket=ticket_id
        )
        deleted = session.connection().execute(links).rowcount
        session.commit()
        return deleted

    return TestClient(app)


def read(client: TestClient, person: Person, table: str) -> tuple[int, Any]:
    response = client.get(f"/{table}/", headers=signed_in(person))
    return response.status_code, response.json()


def create(client: TestClient, person: Person, table: str, **values: object) -> tuple[int, Any]:
    body = {name: str(value) for name, value in values.items()}
    response = client.post(f"/{table}/", json=body, headers=signed_in(person))
    return response.status_code, response.json()


def made(client: TestClient, person: Person, table: str, **values: object) -> UUID:
    """Return the id of a new row."""
    status, row = create(client, person, table, **values)
    assert status == 200, row
    return UUID(row["id"])


def by_hand(person: Person, statement: str, **values: object) -> list[tuple[Any, ...]] | int | str:
    """Return what SQL as the person finds or touches, or the SQLSTATE that refuses it."""
    with user_session(person.id) as session:
        try:
            result = session.connection().execute(text(statement), values)
            found = [tuple(row) for row in result] if result.returns_rows else result.rowcount
            session.commit()
            return found
        except DBAPIError as error:
            return str(getattr(error.orig, "sqlstate", None))


def test_comments_are_those_of_ones_own_items(
    client: TestClient, alice: Person, bob: Person
) -> None:
    """P50."""
    comment = made(client, alice, "comment", item_id=alice.items[0], body="a secret")
    assert read(client, bob, "comment") == (200, [])
    assert [row["body"] for row in read(client, alice, "comment")[1]] == ["a secret"]
    for item in (alice.items[0], uuid4()):
        assert create(client, bob, "comment", item_id=item, body="x") == REFUSED
    assert by_hand(bob, "SELECT * FROM comment") == []
    assert by_hand(bob, "UPDATE comment SET body = 'x'") == 0
    assert by_hand(bob, "DELETE FROM comment") == 0
    own = made(client, bob, "comment", item_id=bob.items[0], body="bob's")
    move = "UPDATE comment SET item_id = :item WHERE id = :id"
    assert by_hand(bob, move, item=alice.items[0], id=own) == INSUFFICIENT_PRIVILEGE
    assert by_hand(alice, "SELECT id FROM comment") == [(comment,)]


def test_links_are_those_of_ones_own_tickets_and_tags(
    client: TestClient, alice: Person, bob: Person
) -> None:
    """P50."""
    ends = {}
    for person in (alice, bob):
        ticket = made(client, person, "ticket", project_id=made(client, person, "project"))
        ends[person] = {"ticket_id": ticket, "tag_id": made(client, person, "tag", name="urgent")}
    assert create(client, alice, "ticket_tag", **ends[alice])[0] == 200
    assert read(client, bob, "ticket_tag") == (200, [])
    unlinked = client.delete(f"/ticket_tag/{ends[alice]['ticket_id']}", headers=signed_in(bob))
    assert unlinked.json() == 0
    link = "INSERT INTO ticket_tag VALUES (:ticket_id, :tag_id)"
    for one, other in ((alice, alice), (alice, bob), (bob, alice)):
        both = {"ticket_id": ends[one]["ticket_id"], "tag_id": ends[other]["tag_id"]}
        assert create(client, bob, "ticket_tag", **both) == REFUSED
        assert by_hand(bob, link, **both) == INSUFFICIENT_PRIVILEGE
    assert by_hand(bob, "DELETE FROM ticket_tag") == 0
    assert create(client, bob, "ticket_tag", **ends[bob])[0] == 200
    assert len(read(client, alice, "ticket_tag")[1]) == 1


def test_a_ticket_hangs_on_ones_own_project(client: TestClient, alice: Person, bob: Person) -> None:
    """P51, P31: another user's project gives the answer of one that does not exist."""
    project = made(client, alice, "project")
    own = made(client, bob, "ticket", project_id=made(client, bob, "project"))
    insert = (
        "INSERT INTO ticket (id, owner_id, project_id) VALUES (gen_random_uuid(), :me, :project)"
    )
    move = "UPDATE ticket SET project_id = :project WHERE id = :id"
    for of_another in (project, uuid4()):
        assert create(client, bob, "ticket", project_id=of_another) == CONFLICT
        assert by_hand(bob, insert, me=bob.id, project=of_another) == FOREIGN_KEY
        assert by_hand(bob, move, project=of_another, id=own) == FOREIGN_KEY
    assert create(client, alice, "ticket", project_id=project)[0] == 200


def test_a_tag_is_unique_among_ones_own(client: TestClient, alice: Person, bob: Person) -> None:
    """P32: a name tells nothing of who else has it."""
    insert = "INSERT INTO tag (id, owner_id, name) VALUES (gen_random_uuid(), :me, :name)"
    made(client, alice, "tag", name="urgent")
    made(client, bob, "tag", name="urgent")
    assert create(client, bob, "tag", name="urgent") == CONFLICT
    made(client, alice, "tag", name="secret")
    assert by_hand(bob, insert, me=bob.id, name="secret") == 1
    assert by_hand(bob, insert, me=bob.id, name="secret") == UNIQUE


@pytest.mark.parametrize("declared", [False], indirect=True, ids=["undeclared"])
@pytest.mark.parametrize("table", TABLES)
def test_a_table_that_nobody_declared_is_closed(
    table: str, client: TestClient, alice: Person
) -> None:
    """P50: no privilege, for any command."""
    values = {"item_id": alice.items[0], "body": "x", "name": "x"}
    values |= {"project_id": uuid4(), "ticket_id": uuid4(), "tag_id": uuid4()}
    assert read(client, alice, table)[0] == 403
    assert create(client, alice, table, **values) == REFUSED
    for statement in (
        f"SELECT * FROM {table}",
        f"SELECT count(*) FROM {table}",
        f"INSERT INTO {table} DEFAULT VALUES",
        f"UPDATE {table} SET {list(TABLES[table].model_fields)[-1]} = NULL",
        f"DELETE FROM {table}",
        f"TRUNCATE {table}",
    ):
        assert by_hand(alice, statement) == INSUFFICIENT_PRIVILEGE
