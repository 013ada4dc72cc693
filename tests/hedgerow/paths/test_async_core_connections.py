"""An asynchronous Core connection is its user in every transaction, and nobody afterwards."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

import hedgerow
from app.models import Item
from hedgerow import Identity, IdentityError, Role
from tests.hedgerow.paths.support import (
    BACKEND,
    ITEM_IDS,
    assert_nobodys,
    async_connection_of,
    async_pool_of_one,
    state_of,
    terminate,
    visible,
)
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY

FirstStatement = Callable[[AsyncConnection, Person], Awaitable[None]]


async def by_select(connection: AsyncConnection, person: Person) -> None:
    assert await visible(connection) == set(person.items)


async def by_driver_sql(connection: AsyncConnection, person: Person) -> None:
    rows = await connection.exec_driver_sql("SELECT id FROM item")
    assert set(rows.scalars()) == set(person.items)


async def by_stream(connection: AsyncConnection, person: Person) -> None:
    async with connection.stream(ITEM_IDS.execution_options(yield_per=1)) as rows:
        assert {row[0] async for row in rows} == set(person.items)


async def by_stream_scalars(connection: AsyncConnection, person: Person) -> None:
    async with connection.stream_scalars(ITEM_IDS) as items:
        assert {item async for item in items} == set(person.items)


async def by_bulk_insert(connection: AsyncConnection, person: Person) -> None:
    rows = [{"id": uuid4(), "owner_id": person.id, "title": str(n)} for n in range(3)]
    await connection.execute(insert(Item), rows)
    await connection.rollback()


async def by_savepoint(connection: AsyncConnection, person: Person) -> None:
    """P14."""
    async with connection.begin_nested() as savepoint:
        await by_select(connection, person)
        await savepoint.rollback()


FIRST_STATEMENTS = (
    by_select, by_driver_sql, by_stream, by_stream_scalars, by_bulk_insert, by_savepoint,
)  # fmt: skip


@pytest.mark.parametrize("first_statement", FIRST_STATEMENTS)
async def test_any_first_statement_carries_the_identity(
    first_statement: FirstStatement, async_pool: AsyncEngine, alice: Person, bob: Person
) -> None:
    """P18."""
    for person in (alice, bob):
        async with async_connection_of(async_pool, person) as connection:
            await first_statement(connection, person)
            await by_select(connection, person)


async def commit(connection: AsyncConnection) -> None:
    await connection.commit()


async def roll_back(connection: AsyncConnection) -> None:
    await connection.rollback()


async def fail(connection: AsyncConnection) -> None:
    with pytest.raises(DBAPIError, match="division by zero"):
        await connection.execute(text("SELECT 1/0"))
    await connection.rollback()


async def fail_in_a_savepoint(connection: AsyncConnection) -> None:
    """P14."""
    with pytest.raises(DBAPIError, match="division by zero"):
        async with connection.begin_nested():
            await connection.execute(text("SELECT 1/0"))


@pytest.mark.parametrize("ending", [commit, roll_back, fail, fail_in_a_savepoint])
async def test_whatever_ended_the_connection_stays_its_users(
    ending: Callable[[AsyncConnection], Awaitable[None]],
    async_pool: AsyncEngine,
    alice: Person,
    bob: Person,
) -> None:
    """P13."""
    async with async_connection_of(async_pool, alice) as connection:
        for first_statement in FIRST_STATEMENTS:
            await by_select(connection, alice)
            await ending(connection)
            await first_statement(connection, alice)
            await by_select(connection, alice)


@pytest.mark.parametrize("ending", ["commit", "rollback", "close"])
@pytest.mark.parametrize("role", list(Role))
async def test_a_used_connection_has_no_identity(
    role: Role, ending: str, async_pool: AsyncEngine, database: Database, alice: Person
) -> None:
    """P11, P12."""
    async with async_connection_of(async_pool, alice, role) as connection:
        backend = await connection.scalar(BACKEND)
        await getattr(connection, ending)()
    assert state_of(database, backend) == "idle"
    await assert_nobodys(async_pool, backend)


@pytest.mark.parametrize("pre_ping", [False, True])
async def test_a_connection_killed_in_the_pool(
    pre_ping: bool, database: Database, alice: Person, bob: Person
) -> None:
    """P19."""
    async with async_pool_of_one(database.app_url, pool_pre_ping=pre_ping) as engine:
        async with async_connection_of(engine, bob) as connection:
            backend = await connection.scalar(BACKEND)
        terminate(database, backend)
        if not pre_ping:
            async with async_connection_of(engine, alice) as connection:
                with pytest.raises(DBAPIError, match="terminating connection") as caught:
                    await visible(connection)
            assert caught.value.connection_invalidated
        async with async_connection_of(engine, alice) as connection:
            await by_select(connection, alice)
            assert await connection.scalar(BACKEND) != backend


async def test_a_connection_killed_in_a_transaction(
    database: Database, async_pool: AsyncEngine, alice: Person, bob: Person
) -> None:
    async with async_connection_of(async_pool, alice) as connection:
        terminate(database, await connection.scalar(BACKEND))
        with pytest.raises(DBAPIError) as caught:
            await visible(connection)
        assert caught.value.connection_invalidated
        await connection.rollback()
        await by_select(connection, alice)


async def test_autocommit_is_refused(async_pool: AsyncEngine, alice: Person) -> None:
    """P19."""
    autocommit = async_pool.execution_options(isolation_level="AUTOCOMMIT")
    async with async_connection_of(autocommit, alice) as connection:
        with pytest.raises(IdentityError, match="AUTOCOMMIT"):
            await visible(connection)
        assert connection.closed


async def test_a_connection_keeps_its_user(
    async_pool: AsyncEngine, alice: Person, bob: Person
) -> None:
    async with async_connection_of(async_pool, alice) as connection:
        with pytest.raises(IdentityError, match="another user"):
            await hedgerow.bind_async(connection, Identity(bob.id), ROW_SECURITY)
        await by_select(connection, alice)
