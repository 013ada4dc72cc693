"""A GET writes nothing, whatever SQL an attacker runs in it: attacked over HTTP.

The route runs whole statements of the attacker's, each in an execute of its own: more than an
injection into a query gives. Accounts are what they go for.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, Query
from fastapi.testclient import TestClient
from sqlalchemy import Connection, Engine, event, orm
from sqlalchemy.exc import SQLAlchemyError

from app.api.deps import (
    AdminSessionDep,
    AsyncAdminSessionDep,
    AsyncRLSSessionDep,
    AsyncSessionDep,
    MayWrite,
    ReadOnlyAdminSessionDep,
    RLSSessionDep,
    SessionDep,
)
from app.main import create_app
from hedgerow.fastapi import SAFE_METHODS
from tests.app.api.support import API, signed_in, stored
from tests.app.security.conftest import signed_only
from tests.support.databases import Database
from tests.support.people import Person

pytestmark = signed_only

Statements = Annotated[list[str], Query()]

ROUTERS = ("users", "items", "async/items", "admin", "utils")
TEMPLATES_OWN = tuple(f"{API}/{router}/" for router in ROUTERS)

UPDATE = """UPDATE "user" SET full_name = 'x'"""
SWITCHED_OFF = (
    (),
    ("SET transaction_read_only = off",),
    ("SET LOCAL transaction_read_only = off",),
    ("SET SESSION transaction_read_only = off",),
    ("SET TRANSACTION READ WRITE",),
    ("SET SESSION CHARACTERISTICS AS TRANSACTION READ WRITE",),
    ("SELECT set_config('transaction_read_only', 'off', true)",),
    ("SELECT set_config('transaction_read_only', 'off', false)",),
    ("SELECT set_config('default_transaction_read_only', 'off', false)",),
    ("RESET transaction_read_only",),
    ("RESET ALL",),
    ("SAVEPOINT a", "SET LOCAL transaction_read_only = off"),
    ("BEGIN READ WRITE",),
    ("COMMIT",),
    ("ROLLBACK",),
    ("COMMIT", "SET TRANSACTION READ WRITE"),
    ("SELECT 1", "COMMIT", "SELECT set_config('transaction_read_only', 'off', true)"),
)
IN_ONE_TEXT = (
    f"COMMIT; {UPDATE}",
    f"SET transaction_read_only = off; {UPDATE}",
    f"DO $$ BEGIN SET LOCAL transaction_read_only = off; {UPDATE}; END $$",
    f"DO $$ BEGIN COMMIT; {UPDATE}; END $$",
    f"WITH x AS ({UPDATE} RETURNING id) SELECT id FROM x",
    f"EXPLAIN ANALYZE {UPDATE}",
    f"SELECT query_to_xml($${UPDATE} RETURNING id$$, true, true, '')",
    "DELETE FROM item",
    "SELECT gen_random_uuid() AS id INTO TEMP item",
    "CREATE TEMP VIEW item AS SELECT gen_random_uuid() AS id",
)
ATTACKS = [*((*begin, UPDATE) for begin in SWITCHED_OFF), *((one,) for one in IN_ONE_TEXT)]
CAN_WRITE = 'UPDATE "user" SET full_name = NULL'
WRITES = {"user": "1", "nobody": "row-level security", "admin": "2"}
"""What a POST of each kind says of CAN_WRITE, with two accounts: their number, or the refusal."""
KINDS = (*WRITES, "reader", *(f"async/{kind}" for kind in WRITES))


def run(session: orm.Session, statements: list[str]) -> list[str]:
    """Run each statement, go on after an error as far as that goes, and commit."""
    said = []
    for statement in statements:
        try:
            said.append(str(session.connection().exec_driver_sql(statement).rowcount))
        except SQLAlchemyError as error:
            said.append(str(error))
            session.rollback()
    session.commit()
    return said


@pytest.fixture
def console(engine: Engine, every_connection_returned: None) -> Iterator[TestClient]:
    """Yield a client of an application that runs what it is sent, with each kind of session."""
    app = create_app()
    options: dict[str, Any] = {"methods": [*SAFE_METHODS, "POST"], "include_in_schema": False}

    @app.api_route("/user", **options)
    def as_user(session: RLSSessionDep, q: Statements) -> Any:
        return run(session, q)

    @app.api_route("/nobody", **options)
    def as_nobody(session: SessionDep, q: Statements) -> Any:
        return run(session, ["SELECT 1", *q])

    @app.api_route("/admin", **options)
    def as_admin(session: AdminSessionDep, q: Statements) -> Any:
        return run(session, q)

    @app.api_route("/reader", **options)
    def as_read_only_admin(session: ReadOnlyAdminSessionDep, q: Statements) -> Any:
        return run(session, q)

    @app.api_route("/async/user", **options)
    async def as_user_async(session: AsyncRLSSessionDep, q: Statements) -> Any:
        return await session.run_sync(run, q)

    @app.api_route("/async/nobody", **options)
    async def as_nobody_async(session: AsyncSessionDep, q: Statements) -> Any:
        return await session.run_sync(run, ["SELECT 1", *q])

    @app.api_route("/async/admin", **options)
    async def as_admin_async(session: AsyncAdminSessionDep, q: Statements) -> Any:
        return await session.run_sync(run, q)

    @app.get("/confirm", dependencies=[MayWrite])
    def confirm(session: RLSSessionDep, q: Statements) -> Any:
        return run(session, q)

    @app.get("/async/confirm", dependencies=[MayWrite])
    async def confirm_async(session: AsyncRLSSessionDep, q: Statements) -> Any:
        return await session.run_sync(run, q)

    with TestClient(app) as client:
        yield client


@pytest.mark.parametrize("kind", KINDS)
def test_no_sql_writes_in_a_get(
    kind: str, console: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    """P52: neither one's own account, nor, as an admin, all."""
    before = stored(database)
    who = signed_in(admin if kind.endswith(("admin", "reader")) else alice)
    for attack in ATTACKS:
        response = console.get(f"/{kind}", params={"q": attack}, headers=who)
        assert response.status_code == 200
        assert stored(database) == before, attack
        # The connection, the only one, writes for who comes next.
        response = console.post(f"/{kind}", params={"q": CAN_WRITE}, headers=who)
        expected = "read-only" if kind == "reader" else WRITES[kind.rpartition("/")[2]]
        assert expected in response.json()[-1], attack


@pytest.mark.parametrize("method", sorted(SAFE_METHODS))
def test_each_safe_method_only_reads(
    method: str, console: TestClient, database: Database, alice: Person
) -> None:
    before = stored(database)
    who = signed_in(alice)
    assert console.request(method, "/user", params={"q": UPDATE}, headers=who).status_code == 200
    assert stored(database) == before


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "reader"])
def test_the_same_sql_writes_in_a_post(
    kind: str, console: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    """P52, the negative control: it is the method that stands against it."""
    who = admin if kind.endswith("admin") else alice
    response = console.post(f"/{kind}", params={"q": UPDATE}, headers=signed_in(who))
    expected = WRITES[kind.rpartition("/")[2]]
    assert expected in response.json()[-1]
    written = [user["full_name"] for user in stored(database)["user"]].count("x")
    assert written == (int(expected) if expected.isdigit() else 0)


KEEP = (
    "SELECT set_config(name, current_setting(name), false)"
    " FROM unnest(ARRAY['app.user_id', 'app.role', 'app.signature']) AS name"
)


@pytest.mark.parametrize("end", ["COMMIT", "ROLLBACK"])
def test_who_chooses_whole_statements_of_a_request_does_not_leave_it(
    end: str, console: TestClient, database: Database, alice: Person
) -> None:
    """A chained transaction would begin without the engine, be made READ WRITE, and be alice's."""
    leave = (KEEP, f"/* */ {end} and chain", "SET TRANSACTION READ WRITE")
    before = stored(database)
    for write in ("DELETE FROM item", 'DELETE FROM "user"'):
        response = console.get("/user", params={"q": [*leave, write]}, headers=signed_in(alice))
        assert "AND CHAIN begins a transaction" in response.json()[1]
    assert stored(database) == before


@pytest.mark.parametrize("path", ["/confirm", "/async/confirm"])
def test_a_get_that_writes_on_purpose(
    path: str, console: TestClient, database: Database, alice: Person, admin: Person
) -> None:
    """A superuser's session there is an admin's, and no read-only one's."""
    for person in (alice, admin):
        q = f"UPDATE item SET title = 'by {person.email}'"
        response = console.get(path, params={"q": q}, headers=signed_in(person))
        assert response.json() == ["2"]
        assert {item["title"] for item in stored(database)["item"]} == {f"by {person.email}"}


def test_no_get_of_the_applications_own_runs_anything_outside_of_read_only(
    console: TestClient, alice: Person, admin: Person
) -> None:
    """Whoever asks; the record of an elevation is written on a connection of its own."""
    modes = []

    def note(connection: Connection, *_: Any) -> None:
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            modes.append(connection.connection.driver_connection.read_only)  # type: ignore[union-attr]

    assert isinstance(console.app, FastAPI)
    paths = [path for path, route in console.app.openapi()["paths"].items() if "get" in route]
    # A project's own routes may ask for more than these ids.
    paths = [path for path in paths if path.startswith(TEMPLATES_OWN)]
    assert len(paths) > 8
    event.listen(Engine, "before_cursor_execute", note)
    try:
        for person in (alice, admin):
            for path in paths:
                address = path.format(id=alice.items[0], user_id=alice.id)
                response = console.get(address, headers=signed_in(person))
                assert response.status_code in ((200,) if person is admin else (200, 403)), address
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    assert len(modes) > 2 * len(paths)
    assert set(modes) == {True}
