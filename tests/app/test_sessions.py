"""Sessions for jobs and scripts: each is one user's, whichever thread has the connection."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from fastapi.concurrency import run_in_threadpool
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from app.core.db import close_async_connections
from app.core.rls import AdminContext, row_security
from app.core.sessions import (
    admin_session,
    async_admin_session,
    async_service_session,
    async_user_session,
    user_session,
)
from app.models import Item, User
from tests.app.api.support import API, signed_in
from tests.hedgerow.audit.entries import entries
from tests.support.databases import Database
from tests.support.people import Person, owners_of
from tests.support.sessions import visible

pytestmark = pytest.mark.usefixtures("engine", "every_connection_returned")

IDS = select(col(Item.id))
THREADS = 24


@pytest.fixture
def anyio_backend() -> str:
    """Return the backend that SQLAlchemy works with: it knows no trio."""
    return "asyncio"


@pytest.fixture
async def _async_connections_closed() -> AsyncIterator[None]:
    """Close what the test opened, in its own event loop."""
    yield
    await close_async_connections()


asynchronous = pytest.mark.usefixtures("_async_connections_closed")


def add_item(session: Session, owner: UUID) -> UUID:
    item = Item(title="new", owner_id=owner)
    session.add(item)
    session.commit()
    return item.id


def test_a_users_session(database: Database, alice: Person, bob: Person) -> None:
    """P13, P18: from the first statement on, here a flush, and across commits."""
    for person in (alice, bob):
        with user_session(person.id) as session:
            item = add_item(session, person.id)
            assert set(session.exec(IDS)) == {*person.items, item}
        assert owners_of(database, [item]) == {item: person.id}


@asynchronous
async def test_a_users_asynchronous_session(database: Database, alice: Person, bob: Person) -> None:
    """P13, P18."""
    for person in (alice, bob):
        async with async_user_session(person.id) as session:
            session.add(new := Item(title="new", owner_id=person.id))
            await session.commit()
            assert set(await session.exec(IDS)) == {*person.items, new.id}
        assert owners_of(database, [new.id]) == {new.id: person.id}


def test_an_admins_session_says_why(
    alice: Person, bob: Person, admin: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with (
        caplog.at_level(logging.DEBUG, row_security.logger),
        admin_session(admin.id, reason="a complaint", read_only=False) as session,
    ):
        assert set(session.exec(IDS)) == {*alice.items, *bob.items}
        add_item(session, bob.id)
    assert f"admin {admin.id} (a complaint)" in caplog.text


@asynchronous
async def test_an_admins_asynchronous_session_says_why(
    alice: Person, bob: Person, admin: Person, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, row_security.logger):
        async with async_admin_session(admin.id, reason="a complaint", read_only=False) as session:
            assert set(await session.exec(IDS)) == {*alice.items, *bob.items}
            session.add(Item(title="new", owner_id=bob.id))
            await session.commit()
    assert f"admin {admin.id} (a complaint)" in caplog.text


def test_a_read_only_admins_session(alice: Person, bob: Person, admin: Person) -> None:
    with admin_session(admin.id, reason="a report") as session:
        assert set(session.exec(IDS)) == {*alice.items, *bob.items}
        with pytest.raises(DBAPIError, match="read-only transaction"):
            add_item(session, alice.id)


@asynchronous
async def test_a_read_only_admins_asynchronous_session(
    alice: Person, bob: Person, admin: Person
) -> None:
    async with async_admin_session(admin.id, reason="a report") as session:
        assert set(await session.exec(IDS)) == {*alice.items, *bob.items}
        session.add(Item(title="new", owner_id=alice.id))
        with pytest.raises(DBAPIError, match="read-only transaction"):
            await session.commit()


@asynchronous
async def test_a_services_asynchronous_session(database: Database, alice: Person) -> None:
    """It does what declarations let its name do, and the trail says why.

    Tests of the first users use the synchronous one.
    """
    async with async_service_session("first-superuser", reason="a restore") as session:
        session.add(User(email="root@example.com", hashed_password="none", is_superuser=True))
        await session.commit()
        with pytest.raises(DBAPIError, match="permission denied"):
            await session.exec(IDS)
    recorded = entries(database, event="elevation", reason="a restore")
    assert {(entry["role"], entry["user_id"]) for entry in recorded} == {
        ("service", "first-superuser")
    }


def see_own_items(person: Person, together: threading.Barrier | None = None) -> None:
    """Look as a user, as an admin, and as the user again."""
    if together is not None:
        together.wait()
    for _ in range(3):
        with user_session(person.id) as session:
            assert set(session.exec(IDS)) == set(person.items)
            session.commit()
            with AdminContext.create_full_admin(person.id, session):
                assert len(session.exec(IDS).all()) == 4
            assert set(session.exec(IDS)) == set(person.items)


def test_many_threads_share_one_connection(alice: Person, bob: Person) -> None:
    """P20: an identity belongs to its session, not to the thread."""
    together = threading.Barrier(THREADS)
    with ThreadPoolExecutor(THREADS) as threads:
        looks = [
            threads.submit(see_own_items, (alice, bob)[number % 2], together)
            for number in range(THREADS)
        ]
    for look in looks:
        look.result()


async def test_synchronous_code_in_the_thread_pool(alice: Person, bob: Person) -> None:
    """P20."""
    looks = (run_in_threadpool(see_own_items, (alice, bob)[n % 2]) for n in range(THREADS))
    await asyncio.gather(*looks)


async def test_a_session_that_changes_threads_keeps_its_user(alice: Person, bob: Person) -> None:
    """P20: FastAPI opens, uses and closes a session in whichever thread is free."""
    opened = [(person, user_session(person.id)) for person in (alice, bob)]
    for person, opening in opened:
        session = await run_in_threadpool(opening.__enter__)
        for _ in range(2):
            assert set(await run_in_threadpool(visible, session)) == set(person.items)
            await run_in_threadpool(session.rollback)
        await run_in_threadpool(opening.__exit__, None, None, None)


@asynchronous
async def test_many_tasks_share_one_connection(alice: Person, bob: Person) -> None:
    async def see_own_items(person: Person) -> None:
        for _ in range(3):
            async with async_user_session(person.id) as session:
                assert set(await session.exec(IDS)) == set(person.items)
                await session.commit()
                async with AdminContext.create_full_admin(person.id, session):
                    assert len((await session.exec(IDS)).all()) == 4
                assert set(await session.exec(IDS)) == set(person.items)

    await asyncio.gather(*(see_own_items((alice, bob)[number % 2]) for number in range(THREADS)))


@pytest.mark.parametrize("items", [f"{API}/items/", f"{API}/async/items/"], ids=["sync", "async"])
def test_requests_of_two_users_take_turns_on_one_connection(
    items: str, engine: Engine, client: TestClient, alice: Person, bob: Person
) -> None:
    """P11, P20."""

    def ask(person: Person) -> None:
        for _ in range(10):
            page = client.get(items, headers=signed_in(person)).json()
            assert {UUID(row["id"]) for row in page["data"]} == set(person.items)

    with ThreadPoolExecutor(4) as threads:
        for asked in [threads.submit(ask, person) for person in (alice, bob) * 2]:
            asked.result()
