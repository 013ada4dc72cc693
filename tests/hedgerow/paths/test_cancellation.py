"""Work that is cancelled while BEGIN and the identity are under way leaves no identity behind."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import anyio
import pytest
from anyio.to_thread import run_sync
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.hedgerow.paths.support import (
    assert_nobodys,
    async_connection_of,
    async_pool_of_one,
    async_session_of,
    visible,
)
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.proxy import Proxy


@pytest.fixture
async def slow_pool(proxy: Proxy, database: Database) -> AsyncIterator[AsyncEngine]:
    """Yield an engine whose one connection goes through the proxy."""
    async with async_pool_of_one(proxy.through(database.app_url)) as engine:
        yield engine


async def use_session(engine: AsyncEngine, person: Person) -> None:
    async with await async_session_of(engine, person) as session:
        await visible(session)


async def use_connection(engine: AsyncEngine, person: Person) -> None:
    async with async_connection_of(engine, person) as connection:
        await visible(connection)


Work = Callable[[AsyncEngine, Person], Coroutine[Any, Any, None]]


@pytest.mark.parametrize("work", [use_session, use_connection])
@pytest.mark.parametrize("times", [1, 2])
async def test_a_task_cancelled_while_begin_is_under_way(
    times: int, work: Work, proxy: Proxy, slow_pool: AsyncEngine, alice: Person, bob: Person
) -> None:
    """P11: once, psycopg still waits for the answer; the second time it hangs up."""
    await work(slow_pool, alice)
    with proxy.holding_answers() as asked:
        task = asyncio.ensure_future(work(slow_pool, bob))
        assert await run_sync(asked.wait, 10)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0.05)
    with pytest.raises(asyncio.CancelledError):
        await task
    await assert_nobodys(slow_pool)
    async with await async_session_of(slow_pool, alice) as session:
        assert await visible(session) == set(alice.items)


@pytest.mark.parametrize("work", [use_session, use_connection])
async def test_a_scope_cancelled_while_begin_is_under_way(
    work: Work, proxy: Proxy, slow_pool: AsyncEngine, alice: Person, bob: Person
) -> None:
    """As above, for anyio's scopes (Starlette's streams), which cancel at every await."""
    await work(slow_pool, alice)
    with proxy.holding_answers() as asked:
        async with anyio.create_task_group() as group:
            group.start_soon(work, slow_pool, bob)
            assert await run_sync(asked.wait, 10)
            group.cancel_scope.cancel()
    await assert_nobodys(slow_pool)
    async with await async_session_of(slow_pool, alice) as session:
        assert await visible(session) == set(alice.items)
