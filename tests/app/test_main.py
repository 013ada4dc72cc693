"""The application as a whole: what it serves, when it starts, and when it refuses to."""

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import URL, text

import app.core.db
from app.core.config import settings
from app.main import create_app
from hedgerow import DatabaseNotReadyError
from tests.app.api.support import stored
from tests.app.core.test_config import DEPLOYED
from tests.support.databases import Database, clean_environment
from tests.support.people import remove_all_users
from tests.support.processes import output_of

Address = Callable[[URL], None]

ROUTES = """
POST /login/access-token  POST /login/test-token
POST /password-recovery/{email}  POST /reset-password/
GET /users/  POST /users/  GET /users/me  PATCH /users/me  DELETE /users/me
PATCH /users/me/password  POST /users/signup
GET /users/{user_id}  PATCH /users/{user_id}  DELETE /users/{user_id}
GET /items/  POST /items/  GET /items/{id}  PUT /items/{id}  DELETE /items/{id}
GET /utils/health-check/  POST /utils/test-email/
POST /private/users/
GET /admin/items/  POST /admin/items/
GET /admin/items/{id}  PUT /admin/items/{id}  DELETE /admin/items/{id}
"""
"""What front ends of the official template, and our own users, rely on."""


def promised_routes() -> set[tuple[str, str]]:
    words = ROUTES.split()
    return {*zip(words[::2], words[1::2], strict=True)}


def routes_of(document: dict[str, Any]) -> set[tuple[str, str]]:
    return {
        (method.upper(), path.removeprefix("/api/v1"))
        for path, operations in document["paths"].items()
        for method in operations
    }


def test_every_promised_route_is_served(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert promised_routes() <= routes_of(document)


def test_operations_have_names_that_client_generators_can_use(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    names = [
        operation["operationId"]
        for operations in document["paths"].values()
        for operation in operations.values()
    ]
    assert len(set(names)) == len(names)
    assert {"items-read_items", "users-register_user", "login-login_access_token"} <= {*names}


def test_the_interactive_documentation_is_served(client: TestClient) -> None:
    page = client.get("/docs")
    assert page.status_code == 200
    assert "/api/v1/openapi.json" in page.text


def test_the_interactive_documentation_can_be_switched_off(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(settings, "API_DOCS_ENABLED", False)
    client = TestClient(create_app())
    for path in ("/docs", "/redoc", "/api/v1/openapi.json"):
        assert client.get(path).status_code == 404


@pytest.mark.parametrize(("environment", "served"), [("local", True), ("staging", False)])
def test_the_private_route_is_served_locally_only(
    tmp_path: Path, environment: str, served: bool
) -> None:
    code = "import json; from app.main import app; print(json.dumps(app.openapi()))"
    printed = output_of(
        [sys.executable, "-c", code],
        folder=tmp_path,
        environment=clean_environment(**{**DEPLOYED, "ENVIRONMENT": environment}),
    )
    routes = routes_of(json.loads(printed))
    assert (("POST", "/private/users/") in routes) is served
    assert promised_routes() - routes == (set() if served else {("POST", "/private/users/")})


def preflight(client: TestClient, origin: str) -> Any:
    headers = {"Origin": origin, "Access-Control-Request-Method": "PUT"}
    return client.options("/api/v1/items/", headers=headers)


def test_the_front_end_is_allowed_and_other_origins_are_not(client: TestClient) -> None:
    allowed = preflight(client, settings.FRONTEND_HOST)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == settings.FRONTEND_HOST
    refused = preflight(client, "https://elsewhere.example.com")
    assert "Access-Control-Allow-Origin" not in refused.headers


def test_a_start_as_local_that_may_be_a_mistake_is_logged(
    client: TestClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(settings, "DATABASE_POOLER_URL", "postgresql://db.example.com/app")
    with TestClient(create_app()):
        pass
    (line,) = (record for record in caplog.records if record.name == "app.core.logs")
    assert line.levelname == "WARNING"
    assert "but DATABASE_POOLER_URL leads to another machine" in line.message


def test_starting_creates_the_first_users(client: TestClient, database: Database) -> None:
    remove_all_users(database)
    with TestClient(create_app()):
        pass
    assert {row["email"] for row in stored(database)["user"]} == {
        settings.FIRST_USER,
        settings.FIRST_SUPERUSER,
    }


@pytest.fixture
def address(fresh_database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Address]:
    """Yield a function that says where the application will find its database."""

    def application_connects(url: URL) -> None:
        app.core.db.shutdown()
        monkeypatch.setattr(app.core.db, "application_url", lambda: url)

    # The application shortens tracebacks as it gives up, for the rest of its process.
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)
    yield application_connects
    app.core.db.shutdown()


def refusal_to_start() -> str:
    with pytest.raises(DatabaseNotReadyError) as refusal, TestClient(create_app()):
        pytest.fail("the application started")
    (line,) = str(refusal.value).splitlines()
    return line


@pytest.mark.parametrize(
    "spoil",
    [
        "ALTER TABLE item DISABLE ROW LEVEL SECURITY",
        "DROP POLICY item_owner_select ON item; DROP POLICY item_owner_insert ON item;"
        " DROP POLICY item_owner_update ON item; DROP POLICY item_owner_delete ON item;"
        " DROP POLICY item_admin ON item; DROP POLICY item_read_only_admin ON item;"
        " DROP POLICY item_admin_insert_is_recorded ON item;"
        " DROP POLICY item_admin_update_is_recorded ON item;"
        " DROP POLICY item_admin_delete_is_recorded ON item",
        "DROP TABLE item",
    ],
)
def test_it_does_not_start_on_a_database_that_lets_users_see_each_other(
    fresh_database: Database, address: Address, spoil: str
) -> None:
    """P37: policies that are not enforced count as none."""
    with fresh_database.as_owner() as connection:
        connection.execute(text(spoil))
    address(fresh_database.app_url)
    line = refusal_to_start()
    assert "'item'" in line
    assert " upgrade head`" in line
    assert stored_users(fresh_database) == 0


def test_it_does_not_start_as_a_superuser(fresh_database: Database, address: Address) -> None:
    """P1, P43: to whom no policy applies."""
    address(fresh_database.owner_url)
    assert "RLS_APP_USER" in refusal_to_start()


def test_a_wrong_password_is_one_line_that_names_the_setting(
    fresh_database: Database, address: Address
) -> None:
    address(fresh_database.app_url.set(password="not this one"))
    line = refusal_to_start()
    assert "RLS_APP_PASSWORD" in line
    assert "not this one" not in line


def stored_users(database: Database) -> int:
    with database.as_owner() as connection:
        return int(connection.scalar(text('SELECT count(*) FROM "user"')) or 0)


def test_the_settings_know_the_tests_database_and_no_other(database: Database) -> None:
    """Or these tests would work on the data of whoever develops here."""
    assert app.core.db.owner_url() == database.owner_url
