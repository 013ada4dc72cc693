"""A body that is too large, from somebody who need not be signed in."""

import json
from typing import Any

import pytest
from starlette.types import Message

from app.core.config import settings
from app.main import create_app
from tests.app.api.support import API

CHUNK = b" " * 2**16


class Asked:
    """A request whose body arrives in chunks, as the application takes them."""

    def __init__(self, *headers: tuple[str, str], chunks: int, path: str = "/items/") -> None:
        self.scope: dict[str, Any] = {
            "type": "http",
            "method": "POST",
            "path": API + path,
            "raw_path": (API + path).encode(),
            "query_string": b"",
            "headers": [
                (b"content-type", b"application/json"),
                (b"origin", settings.FRONTEND_HOST.encode()),
                *((name.encode(), value.encode()) for name, value in headers),
            ],
        }
        self.taken = 0
        self.chunks = chunks
        self.sent: list[Message] = []

    async def receive(self) -> Message:
        self.taken += 1
        return {"type": "http.request", "body": CHUNK, "more_body": self.taken < self.chunks}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def answer(self) -> tuple[int, Any]:
        await create_app()(self.scope, self.receive, self.send)
        start, body = self.sent
        self.headers = dict(start["headers"])
        return start["status"], json.loads(body["body"])


REFUSED = 413, {"detail": "Content Too Large"}


@pytest.mark.parametrize(
    ("path", "length"),
    [
        ("/items/", str(50 * 2**20)),
        ("/login/test-token", str(settings.MAX_BODY_SIZE + 1)),
        ("/nothing", "9" * 5000),
    ],
)
async def test_one_that_says_its_length_is_not_read(path: str, length: str) -> None:
    asked = Asked(("content-length", length), chunks=800, path=path)
    assert await asked.answer() == REFUSED
    assert asked.taken == 0
    assert asked.headers[b"content-type"] == b"application/json"
    assert asked.headers[b"access-control-allow-origin"] == settings.FRONTEND_HOST.encode()
    assert b"x-request-id" in asked.headers


def test_the_refusal_is_documented() -> None:
    document = create_app().openapi()
    assert "413" in document["paths"][f"{API}/items/"]["post"]["responses"]


async def test_one_that_does_not_is_read_as_far_as_the_limit() -> None:
    asked = Asked(("transfer-encoding", "chunked"), chunks=800)
    assert await asked.answer() == REFUSED
    assert asked.taken == settings.MAX_BODY_SIZE // len(CHUNK) + 1


async def test_one_that_is_as_large_as_the_limit_is_looked_at() -> None:
    size = settings.MAX_BODY_SIZE
    asked = Asked(("content-length", str(size)), chunks=size // len(CHUNK))
    status, _ = await asked.answer()
    assert status == 422  # blanks are no JSON
    assert asked.taken == asked.chunks
