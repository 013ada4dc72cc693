"""What an application answers where PostgreSQL refuses, in synchronous and asynchronous routes."""

import logging
from typing import Any
from uuid import uuid4

import pytest
from fastapi import FastAPI
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from psycopg.errors import InsufficientPrivilege
from sqlalchemy.exc import IntegrityError, ProgrammingError

from hedgerow import IdentityError, Role
from hedgerow.fastapi import install_error_handlers
from tests.hedgerow.fastapi.working_route import add_async_route, add_route
from tests.support.databases import Database
from tests.support.people import Person, remove_all_users

LOGGER = "hedgerow.fastapi"
SERVER_ERROR = {"detail": "Internal Server Error"}
CONFLICT = {"detail": "This conflicts with existing data."}


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, database: Database) -> TestClient:
    """Return a client of an application whose one route does some work as somebody."""
    app = FastAPI()
    install_error_handlers(app)
    if request.param == "sync":
        add_route(app, database)
    else:
        add_async_route(app, database)
    return TestClient(app)


def ask(client: TestClient, work: str, **parameters: object) -> tuple[int, Any]:
    response = client.post(f"/{work}", params={name: str(v) for name, v in parameters.items()})
    return response.status_code, response.json()


@pytest.fixture
def messages(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, LOGGER)
    return caplog


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[str, str]]:
    return [(r.levelname, r.getMessage()) for r in caplog.records if r.name == LOGGER]


def test_a_refused_read() -> None:
    app = FastAPI()
    install_error_handlers(app)

    @app.get("/read")
    def read() -> None:
        raise ProgrammingError("SELECT", None, InsufficientPrivilege("permission denied"))

    response = TestClient(app).get("/read")
    assert (response.status_code, response.json()) == (403, {"detail": "You may not read this."})


@pytest.mark.parametrize(
    ("work", "said"),
    [
        ("insert", "INSERT on item"),
        ("give_away", "UPDATE on item"),
        ("insert_by_text", "SQL text"),
    ],
)
def test_a_refused_write(
    work: str,
    said: str,
    client: TestClient,
    alice: Person,
    bob: Person,
    messages: pytest.LogCaptureFixture,
) -> None:
    """P30."""
    item = alice.items[0] if work == "give_away" else uuid4()
    answer = ask(client, work, user=alice.id, item=item, owner=bob.id)
    assert answer == (403, {"detail": "You may not write this."})
    [(level, line)] = lines(messages)
    assert level == "WARNING"
    assert line == (
        f"POST /{work} was refused: {said}:"
        ' new row violates row-level security policy for table "item"'
    )


def test_a_write_in_a_read_only_transaction(
    client: TestClient, alice: Person, messages: pytest.LogCaptureFixture
) -> None:
    who = {"user": alice.id, "role": Role.READ_ONLY_ADMIN.value}
    answer = ask(client, "insert", **who, item=uuid4(), owner=alice.id)
    assert answer == (403, {"detail": "This access is read-only."})
    [(_, line)] = lines(messages)
    assert "INSERT on item: cannot execute INSERT in a read-only transaction" in line


@pytest.mark.parametrize(
    ("work", "said"), [("insert", "INSERT on item"), ("insert_by_text", "SQL text")]
)
def test_a_write_in_a_get_is_the_applications_fault(
    work: str,
    said: str,
    client: TestClient,
    alice: Person,
    messages: pytest.LogCaptureFixture,
) -> None:
    who = {"user": alice.id, "role": Role.READ_ONLY_ADMIN.value, "owner": alice.id}
    parameters = {name: str(value) for name, value in who.items()} | {"item": str(uuid4())}
    response = client.get(f"/{work}", params=parameters)
    assert (response.status_code, response.json()) == (500, SERVER_ERROR)
    [(level, line)] = lines(messages)
    assert level == "ERROR"
    assert line == (
        f"GET /{work} wrote: {said}: cannot execute INSERT in a read-only transaction. Requests"
        " with this method only read: use POST, PUT, PATCH or DELETE for this route; if it must"
        " write here, give it a session that is not READ ONLY (in Hedgerow's template:"
        " dependencies=[MayWrite] in its decorator)."
    )


@pytest.mark.parametrize("work", ["give_away", "look_as_nobody"])
def test_a_missing_identity(
    work: str,
    client: TestClient,
    database: Database,
    alice: Person,
    messages: pytest.LogCaptureFixture,
) -> None:
    """P16: also where the session says that it is nobody's, and no row asks for an identity."""
    if work == "look_as_nobody":
        remove_all_users(database)
    assert ask(client, work, item=alice.items[0], owner=alice.id) == (500, SERVER_ERROR)
    [(level, line)] = lines(messages)
    assert level == "ERROR"
    assert "use RLSSessionDep instead of SessionDep" in line


def test_a_conflict_says_no_more_than_its_status(
    client: TestClient, alice: Person, bob: Person, messages: pytest.LogCaptureFixture
) -> None:
    """P31, P32: one's own row, a hidden one and a parent that is missing are told in one way."""
    who = {"user": alice.id, "role": Role.ADMIN.value}
    for item, owner in (
        (alice.items[0], alice.id),
        (bob.items[0], alice.id),
        (uuid4(), uuid4()),
    ):
        assert ask(client, "insert", **who, item=item, owner=owner) == (409, CONFLICT)
    assert lines(messages) == [
        ("INFO", "POST /insert conflicts with constraint item_pkey of table item"),
        ("INFO", "POST /insert conflicts with constraint item_pkey of table item"),
        ("INFO", "POST /insert conflicts with constraint item_owner_id_fkey of table item"),
    ]


def test_a_constraint_that_tells_nothing_of_others_is_a_bug_as_before(
    client: TestClient, alice: Person
) -> None:
    with pytest.raises(IntegrityError, match="null value"):
        ask(client, "insert_without_title", user=alice.id, item=uuid4(), owner=alice.id)


@pytest.mark.filterwarnings("default")  # as where the application runs: here all are errors
@pytest.mark.parametrize("work", ["change_a_row_that_goes", "delete_a_row_that_goes"])
def test_a_row_that_went_away_meanwhile(work: str, client: TestClient, alice: Person) -> None:
    """SQLAlchemy only warns where a deletion finds no row; the route would answer that it did."""
    item = alice.items[0]
    answer = ask(client, work, user=alice.id, item=item, owner=alice.id)
    assert answer == (404, {"detail": "Not found."})


def test_an_error_of_the_engines_own(
    client: TestClient, alice: Person, messages: pytest.LogCaptureFixture
) -> None:
    assert ask(client, "misuse", item=alice.items[0], owner=alice.id) == (500, SERVER_ERROR)
    assert lines(messages) == [("ERROR", "POST /misuse: Do it in another way.")]


def test_an_applications_own_handler_comes_first(client: TestClient, alice: Person) -> None:
    """Wherever it is installed: of two that fit, the one for the more special error answers."""
    assert isinstance(client.app, FastAPI)
    client.app.add_exception_handler(IdentityError, lambda *_: JSONResponse("ours", 418))
    assert ask(client, "misuse", item=alice.items[0], owner=alice.id) == (418, "ours")
