"""The second application's asynchronous routes, on a pool of one connection."""

import asyncio

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import ASGITransport, AsyncClient

from tests.second_app.support import Library, Reader

pytestmark = pytest.mark.xdist_group("second_app")


def books(client: TestClient, reader: Reader, path: str = "/books/") -> list[str]:
    answer = client.get(path, headers=reader.headers)
    assert answer.status_code == 200, answer.text
    titles: list[str] = answer.json()
    return titles


def test_a_route_without_a_filter_shows_ones_own_rows(
    client: TestClient, ann: Reader, ben: Reader
) -> None:
    for reader in (ann, ben, ann):
        assert books(client, reader) == [f"{reader.key}'s book 0", f"{reader.key}'s book 1"]


def test_writing_and_deleting(client: TestClient, ann: Reader, ben: Reader) -> None:
    """P25: another's row is a row that does not exist."""
    added = client.post("/books/", headers=ann.headers, json={"title": "new"})
    assert added.status_code == 201
    address = f"/books/{added.json()}"
    assert client.delete(address, headers=ben.headers).status_code == 404
    assert client.delete(address, headers=ann.headers).status_code == 204
    assert len(books(client, ann)) == 2


def test_two_readers_take_turns_at_once(
    application: FastAPI, library: Library, ann: Reader, ben: Reader
) -> None:
    """P11, P13: requests of both wait for the one connection, and add and remove in between."""

    async def visit(client: AsyncClient, reader: Reader) -> None:
        own = [f"{reader.key}'s book 0", f"{reader.key}'s book 1"]
        for _ in range(5):
            answer = await client.get("/books/", headers=reader.headers)
            assert answer.json() == own
            added = await client.post("/books/", headers=reader.headers, json={"title": "zero"})
            answer = await client.get("/books/", headers=reader.headers)
            assert answer.json() == [*own, "zero"]
            await client.delete(f"/books/{added.json()}", headers=reader.headers)

    async def take_turns() -> None:
        from tests.second_app.library.database import engine

        transport = ASGITransport(application)
        async with AsyncClient(transport=transport, base_url="http://library") as client:
            await asyncio.gather(*(visit(client, reader) for reader in (ann, ben)))
        await engine.dispose()

    asyncio.run(take_turns())


def test_a_librarian_sees_everybodys_books_and_leaves_a_trace(
    client: TestClient, library: Library, ann: Reader, ben: Reader, librarian: Reader
) -> None:
    headers = librarian.headers | {"X-Admin-Reason": "stocktaking"}
    assert client.get("/everybodys-books/", headers=ann.headers).status_code == 403
    answer = client.get("/everybodys-books/", headers=headers)
    assert len(answer.json()) == 4
    assert books(client, librarian) == []
    said = library.run("hedgerow", "audit", "list", "--user", "librarian@example.com")
    assert "elevation: read_only_admin" in said
    assert said.endswith("GET /everybodys-books/ because: stocktaking\n")


def test_an_admin_block_changes_anybodys_row_and_is_recorded(
    client: TestClient, library: Library, ann: Reader, ben: Reader, librarian: Reader
) -> None:
    address = f"/books/{ann.items[0]}/move?reader_id={ben.id}"
    assert client.post(address, headers=ann.headers).status_code == 403
    assert client.post(address, headers=librarian.headers).status_code == 200
    assert books(client, ann) == ["ann's book 1"]
    assert "ann's book 0" in books(client, ben)
    said = library.run("hedgerow", "audit", "list", "--event", "change", "--table", "book")
    assert f"change: admin {librarian.id} UPDATE public.book id={ann.items[0]}" in said
    assert "columns reader_id" in said
