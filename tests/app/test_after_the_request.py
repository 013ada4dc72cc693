"""P22: what outlives a request opens a session of its own for the same user.

On a pool of one connection: the request has given its own back before any of this begins.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import UUID

import pytest
from fastapi import BackgroundTasks, FastAPI, WebSocket
from fastapi.responses import StreamingResponse
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlmodel import col, select

from app.api.deps import AsyncCurrentUser, AsyncRLSSessionDep, CurrentUser, RLSSessionDep
from app.core.security import decode_access_token
from app.core.sessions import async_user_session, user_session
from app.main import create_app
from app.models import Item
from tests.app.api.support import signed_in
from tests.support.people import Person

IDS = select(col(Item.id))

Seen = list[tuple[UUID, set[UUID]]]
"""Who looked, and what they saw."""


@pytest.fixture
def seen() -> Seen:
    """Return what background tasks saw."""
    return []


@pytest.fixture
def client(engine: Engine, every_connection_returned: None, seen: Seen) -> Iterator[TestClient]:
    """Yield a client of an application with routes that go on after their response."""
    app = create_app()
    add_background_tasks(app, seen)
    add_streams(app)
    add_web_sockets(app)
    with TestClient(app) as client:
        yield client


def add_background_tasks(app: FastAPI, seen: Seen) -> None:
    def look(user: UUID) -> None:
        with user_session(user) as session:
            seen.append((user, set(session.exec(IDS))))

    async def look_asynchronously(user: UUID) -> None:
        async with async_user_session(user) as session:
            seen.append((user, set(await session.exec(IDS))))

    @app.post("/sync/task")
    def start(session: RLSSessionDep, user: CurrentUser, tasks: BackgroundTasks) -> Any:
        tasks.add_task(look, user.id)
        return session.exec(IDS).all()

    @app.post("/async/task")
    async def start_asynchronously(
        session: AsyncRLSSessionDep, user: AsyncCurrentUser, tasks: BackgroundTasks
    ) -> Any:
        tasks.add_task(look_asynchronously, user.id)
        return (await session.exec(IDS)).all()


def add_streams(app: FastAPI) -> None:
    def lines(user: UUID) -> Iterator[str]:
        with user_session(user) as session:
            for item in session.exec(IDS.execution_options(yield_per=1)):
                yield f"{item}\n"
            session.commit()
            for item in session.exec(IDS):
                yield f"{item}\n"

    async def lines_asynchronously(user: UUID) -> AsyncIterator[str]:
        async with async_user_session(user) as session:
            async for item in await session.stream_scalars(IDS):
                yield f"{item}\n"
            await session.commit()
            for item in await session.exec(IDS):
                yield f"{item}\n"

    @app.get("/sync/stream")
    def stream(session: RLSSessionDep, user: CurrentUser) -> StreamingResponse:
        session.exec(IDS).all()
        return StreamingResponse(lines(user.id))

    @app.get("/async/stream")
    async def stream_asynchronously(
        session: AsyncRLSSessionDep, user: AsyncCurrentUser
    ) -> StreamingResponse:
        (await session.exec(IDS)).all()
        return StreamingResponse(lines_asynchronously(user.id))


def add_web_sockets(app: FastAPI) -> None:
    def look(user: UUID) -> list[str]:
        with user_session(user) as session:
            return [str(item) for item in session.exec(IDS)]

    @app.websocket("/sync/socket")
    async def answer(socket: WebSocket) -> None:
        await socket.accept()
        token = decode_access_token(socket.headers["Authorization"].removeprefix("Bearer "))
        async for _ in socket.iter_text():
            await socket.send_json(await asyncio.to_thread(look, token.user_id))

    @app.websocket("/async/socket")
    async def answer_asynchronously(socket: WebSocket) -> None:
        await socket.accept()
        token = decode_access_token(socket.headers["Authorization"].removeprefix("Bearer "))
        async for _ in socket.iter_text():
            async with async_user_session(token.user_id) as session:
                await socket.send_json([str(item) for item in await session.exec(IDS)])


BOTH_KINDS = pytest.mark.parametrize("kind", ["sync", "async"])


@BOTH_KINDS
def test_background_tasks(
    kind: str, client: TestClient, seen: Seen, alice: Person, bob: Person
) -> None:
    for person in (alice, bob, alice):
        response = client.post(f"/{kind}/task", headers=signed_in(person))
        assert {UUID(item) for item in response.json()} == set(person.items)
    assert seen == [(person.id, set(person.items)) for person in (alice, bob, alice)]


@BOTH_KINDS
def test_streaming_responses(kind: str, client: TestClient, alice: Person, bob: Person) -> None:
    for person in (alice, bob, alice):
        lines = client.get(f"/{kind}/stream", headers=signed_in(person)).text.split()
        assert len(lines) == 2 * len(person.items)
        assert {UUID(line) for line in lines} == set(person.items)


@BOTH_KINDS
def test_web_sockets(kind: str, client: TestClient, alice: Person, bob: Person) -> None:
    """Two that are open at the same time, in turns."""
    with (
        client.websocket_connect(f"/{kind}/socket", headers=signed_in(alice)) as alices,
        client.websocket_connect(f"/{kind}/socket", headers=signed_in(bob)) as bobs,
    ):
        for person, socket in ((alice, alices), (bob, bobs)) * 3:
            socket.send_text("What is mine?")
            assert {UUID(item) for item in socket.receive_json()} == set(person.items)
