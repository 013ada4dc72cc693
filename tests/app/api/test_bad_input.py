"""What a request can do wrong: a 4xx with a plain sentence, and nothing is stored.

An answer of 500 raises its cause here, so that no request of these ends in one.
"""

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx2 import Response

from tests.app.api.support import API, signed_in, stored
from tests.support.databases import Database
from tests.support.people import Person

JSON = {"Content-Type": "application/json"}
PASSWORD = "a quiet hedge"
NO_JSON = "The body is not valid JSON"
UNREADABLE = "There was an error parsing the body"
NO_OBJECT = "The body must be a JSON object, sent as application/json"
BLANK = "Text must not be blank and must not contain a NUL character"
NUL = "Text must not contain a NUL character"
TOO_LONG = "String should have at most 255 characters"
NOT_NULL = "Leave the field out or give it a value"
ITEM = "/items/{item}"


@dataclass(frozen=True)
class Bad:
    """A request, as the admin unless another one is named, and what it is told."""

    name: str
    method: str
    path: str
    sentence: str
    sent: dict[str, Any] = field(default_factory=dict)
    status: int = 422


def body(**fields: Any) -> dict[str, Any]:
    return {"json": fields}


def raw(content: bytes, **headers: str) -> dict[str, Any]:
    return {"content": content, "headers": JSON | headers}


def signup(**fields: Any) -> dict[str, Any]:
    return body(**{"email": "new@example.com", "password": PASSWORD, **fields})


CASES = (
    Bad("no id", "GET", "/items/1", "Input should be a valid UUID, invalid length"),
    Bad("no id to change", "PUT", "/items/x", "Input should be a valid UUID", body(title="a")),
    Bad("no id to delete", "DELETE", "/items/%00", "Input should be a valid UUID"),
    Bad("no id of a user", "GET", "/users/x", "Input should be a valid UUID"),
    Bad("no id of an owner", "POST", "/admin/items/?owner_id=x", "Input should be a valid UUID",
        body(title="a")),
    Bad("no owner", "POST", "/admin/items/", "Field required", body(title="a")),
    Bad("no title", "POST", "/items/", "Field required", body()),
    Bad("empty title", "POST", "/items/", "String should have at least 1 character",
        body(title="")),
    Bad("blank title", "POST", "/items/", BLANK, body(title=" \t\u2003")),
    Bad("title of control characters", "POST", "/items/", BLANK, body(title="\x1c\x1d\x1e\x1f")),
    Bad("title of one control character", "PUT", ITEM, BLANK, body(title="\x7f")),
    Bad("long title", "POST", "/items/", TOO_LONG, body(title="x" * 256)),
    Bad("long title of an old item", "PUT", ITEM, TOO_LONG, body(title="x" * 256)),
    Bad("null title", "PUT", ITEM, NOT_NULL, body(title=None)),
    Bad("number as title", "POST", "/items/", "Input should be a valid string", body(title=1)),
    Bad("long description", "POST", "/items/", TOO_LONG, body(title="a", description="x" * 256)),
    Bad("NUL in a title", "POST", "/items/", BLANK, body(title="a\x00b")),
    Bad("NUL in a description", "PUT", ITEM, NUL, body(description="\x00")),
    Bad("NUL in a name", "PATCH", "/users/me", NUL, body(full_name="\x00")),
    Bad("NUL in a password", "POST", "/users/signup", NUL, signup(password="long enough\x00")),
    Bad("NUL in an address", "POST", "/password-recovery/a%00@example.com", "value is not a valid"),
    Bad("NUL in a token", "POST", "/reset-password/", NUL,
        body(token="\x00", new_password=PASSWORD)),
    Bad("limit of -1", "GET", "/items/?limit=-1", "Input should be greater than or equal to 1"),
    Bad("limit of 0", "GET", "/users/?limit=0", "Input should be greater than or equal to 1"),
    Bad("limit of 10**9", "GET", f"/items/?limit={10**9}",
        "Input should be less than or equal to 1000"),
    Bad("skip of -1", "GET", "/admin/items/?skip=-1", "Input should be greater than or equal to 0"),
    Bad("skip of 10**30", "GET", f"/items/?skip={10**30}", "Input should be less than or equal to"),
    Bad("skip of 10**5000", "GET", f"/items/?skip={10**4000}0", "Input should be"),
    Bad("skip that is no number", "GET", "/users/?skip=x", "Input should be a valid integer"),
    Bad("no JSON", "POST", "/items/", NO_JSON, raw(b"title: Hazel")),
    Bad("half a JSON", "PUT", ITEM, NO_JSON, raw(b'{"title": "Ha')),
    Bad("no UTF-8", "POST", "/items/", UNREADABLE, raw(b'{"title": "\xff"}'), 400),
    Bad("deep JSON", "POST", "/items/", UNREADABLE, raw(b"[" * 100_000), 400),
    Bad("no body", "POST", "/items/", "Field required"),
    Bad("null", "POST", "/items/", NO_OBJECT, raw(b"null")),
    Bad("a list", "POST", "/items/", NO_OBJECT, raw(b'["title"]')),
    Bad("a lone surrogate", "POST", "/items/", "valid string", raw(rb'{"title": "\ud800"}')),
    Bad("not a number", "POST", "/items/", "Input should be a valid string",
        raw(b'{"title": NaN}')),
    Bad("JSON under another name", "POST", "/items/", NO_OBJECT,
        {"content": b'{"title": "a"}', "headers": {"Content-Type": "text/plain"}}),
    Bad("weak password", "POST", "/users/signup", "String should have at least 8 characters",
        signup(password="1234567")),
    Bad("endless password", "POST", "/users/", "String should have at most 128 characters",
        signup(password="x" * 129)),
    Bad("weak new password", "PATCH", "/users/me/password", "at least 8 characters",
        body(current_password=PASSWORD, new_password="short")),
    Bad("weak password by link", "POST", "/reset-password/", "at least 8 characters",
        body(token="x", new_password="short")),
    Bad("no address", "POST", "/users/signup", "value is not a valid email address",
        signup(email="nobody")),
    Bad("endless address", "POST", "/users/signup", "value is not a valid email address",
        signup(email=f"{'x' * 300}@example.com")),
    Bad("taken address", "POST", "/users/signup",
        "The user with this email already exists in the system",
        signup(email="Alice@example.com"), 400),
    Bad("taken address by a superuser", "POST", "/users/",
        "The user with this email already exists in the system.",
        signup(email="alice@example.com"), 400),
    Bad("taken address for another", "PATCH", "/users/{alice}",
        "User with this email already exists", body(email="admin@example.com"), 409),
    Bad("null address", "PATCH", "/users/me", NOT_NULL, body(email=None)),
    Bad("null switch", "PATCH", "/users/{alice}", NOT_NULL, body(is_active=None)),
    Bad("a word as a switch", "PATCH", "/users/{alice}", "Input should be a valid boolean",
        body(is_superuser="yes")),
    Bad("half a sign-in", "POST", "/login/access-token", "Field required",
        {"data": {"username": "alice@example.com"}}),
    Bad("NUL in a sign-in", "POST", "/login/access-token", "Incorrect email or password",
        {"data": {"username": "alice@example.com\x00", "password": "a\x00b"}}, 400),
    Bad("unknown address", "GET", "/nothing", "Not Found", status=404),
    Bad("unknown method", "PATCH", ITEM, "Method Not Allowed", body(title="a"), 405),
)  # fmt: skip


@pytest.mark.parametrize("bad", CASES, ids=lambda bad: bad.name)
def test_a_bad_request_is_told_in_a_sentence_and_stores_nothing(
    client: TestClient, database: Database, alice: Person, admin: Person, bad: Bad
) -> None:
    before = stored(database)
    path = bad.path.format(item=alice.items[0], alice=alice.id, admin=admin.id)
    headers = signed_in(admin) | bad.sent.get("headers", {})
    response = client.request(bad.method, API + path, **{**bad.sent, "headers": headers})
    assert response.status_code == bad.status, response.text
    assert bad.sentence in plain_sentence(response)
    assert stored(database) == before


def plain_sentence(response: Response) -> str:
    """Return what a person is told, which must be words: no code, no SQL, nothing echoed."""
    assert response.headers["Content-Type"] == "application/json"
    detail = response.json()["detail"]
    if isinstance(detail, list):
        (entry,) = detail
        assert entry.keys() == {"loc", "msg", "type"}
        detail = entry["msg"]
    assert isinstance(detail, str)
    assert detail[0].isupper() or detail.startswith("value is not")
    assert not re.search(
        r"[A-Z]\w+(Error|Create|Update)\b|SELECT|INSERT|UPDATE|psycopg|\.py", detail
    )
    return detail


def test_a_refused_password_is_not_repeated(client: TestClient, alice: Person) -> None:
    response = client.post(f"{API}/users/signup", json={"email": "x", "password": "hushhush"})
    assert response.status_code == 422
    assert "hushhush" not in response.text
