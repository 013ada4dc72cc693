"""What an asynchronous session leaves on its connection: nothing, whatever ended it."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, PendingRollbackError
from sqlalchemy.ext.asyncio import AsyncEngine

from hedgerow import IdentityError, Role
from tests.hedgerow.paths.support import (
    BACKEND,
    NOBODY,
    WHO,
    assert_nobodys,
    async_pool_of_one,
    async_session_of,
    state_of,
    terminate,
    visible,
)
from tests.support.databases import Database
from tests.support.people import Person


@pytest.mark.parametrize("ending", ["commit", "rollback", "close"])
@pytest.mark.parametrize("role", list(Role))
async def test_a_used_connection_has_no_identity(
    role: Role, ending: str, async_pool: AsyncEngine, database: Database, alice: Person
) -> None:
    """P11, P12."""
    session = await async_session_of(async_pool, alice, role)
    backend = await session.scalar(BACKEND)
    assert tuple((await session.execute(WHO)).one()) != NOBODY
    await getattr(session, ending)()
    await session.close()
    assert state_of(database, backend) == "idle"
    await assert_nobodys(async_pool, backend)


async def test_a_connection_given_back_in_a_failed_transaction_is_nobodys(
    async_pool: AsyncEngine, database: Database, alice: Person
) -> None:
    """P19: reset on return."""
    session = await async_session_of(async_pool, alice)
    backend = await session.scalar(BACKEND)
    with pytest.raises(DBAPIError, match="division by zero"):
        await session.execute(text("SELECT 1/0"))
    await session.close()
    assert state_of(database, backend) == "idle"
    await assert_nobodys(async_pool, backend)


async def test_a_connection_is_idle_also_with_pre_ping(
    database: Database, alice: Person, bob: Person
) -> None:
    """P19."""
    async with async_pool_of_one(database.app_url, pool_pre_ping=True) as engine:
        backend = None
        for person in (alice, bob, alice):
            async with await async_session_of(engine, person) as session:
                backend = await session.scalar(BACKEND)
                assert await visible(session) == set(person.items)
            assert state_of(database, backend) == "idle"
        await assert_nobodys(engine, backend)


@pytest.mark.parametrize("pre_ping", [False, True])
async def test_a_connection_killed_in_the_pool(
    pre_ping: bool, database: Database, alice: Person, bob: Person
) -> None:
    """P19."""
    async with async_pool_of_one(database.app_url, pool_pre_ping=pre_ping) as engine:
        async with await async_session_of(engine, bob) as session:
            backend = await session.scalar(BACKEND)
        terminate(database, backend)
        if not pre_ping:
            async with await async_session_of(engine, alice) as session:
                with pytest.raises(DBAPIError, match="terminating connection") as caught:
                    await visible(session)
                assert caught.value.connection_invalidated
                await session.rollback()
                assert await visible(session) == set(alice.items)
        async with await async_session_of(engine, alice) as session:
            assert await visible(session) == set(alice.items)
            assert await session.scalar(BACKEND) != backend


async def test_a_connection_killed_in_a_transaction(
    database: Database, async_pool: AsyncEngine, alice: Person, bob: Person
) -> None:
    async with await async_session_of(async_pool, alice) as session:
        terminate(database, await session.scalar(BACKEND))
        with pytest.raises(DBAPIError) as caught:
            await visible(session)
        assert caught.value.connection_invalidated
        await session.rollback()
        assert await visible(session) == set(alice.items)
    await assert_nobodys(async_pool)


@pytest.mark.parametrize("way", ["engine", "execution option", "connection"])
async def test_autocommit_is_refused(
    way: str, database: Database, async_pool: AsyncEngine, alice: Person
) -> None:
    """P19: the identity would be gone before the next statement."""
    level = {"isolation_level": "AUTOCOMMIT"}
    async with async_pool_of_one(database.app_url, **level) as autocommit:
        engines = {
            "engine": autocommit,
            "execution option": async_pool.execution_options(**level),
            "connection": async_pool,
        }
        async with await async_session_of(engines[way], alice) as session:
            options = level if way == "connection" else {}
            with pytest.raises(IdentityError, match="AUTOCOMMIT"):
                await session.connection(execution_options=options)
            with pytest.raises(PendingRollbackError):
                await visible(session)


async def test_a_savepoint_that_is_rolled_back_takes_no_identity_with_it(
    async_pool: AsyncEngine, alice: Person, bob: Person
) -> None:
    """P14."""
    async with await async_session_of(async_pool, alice) as session:
        savepoint = await session.begin_nested()
        assert await visible(session) == set(alice.items)
        await savepoint.rollback()
        assert await visible(session) == set(alice.items)
        with pytest.raises(DBAPIError, match="division by zero"):
            async with session.begin_nested(), session.begin_nested():
                await session.execute(text("SELECT 1/0"))
        assert await visible(session) == set(alice.items)
        who = (await session.execute(WHO)).one()
    assert tuple(who) == (str(alice.id), "user", "rls_app_user")


async def test_isolation_level_read_only_and_deferrable_are_kept(
    async_pool: AsyncEngine, alice: Person, bob: Person
) -> None:
    options = {
        "isolation_level": "SERIALIZABLE",
        "postgresql_readonly": True,
        "postgresql_deferrable": True,
    }
    async with await async_session_of(async_pool.execution_options(**options), alice) as session:
        assert await visible(session) == set(alice.items)
        for setting, value in (
            ("isolation", "serializable"),
            ("read_only", "on"),
            ("deferrable", "on"),
        ):
            assert await session.scalar(text(f"SHOW transaction_{setting}")) == value
    async with await async_session_of(async_pool, bob) as session:
        assert await session.scalar(text("SHOW transaction_isolation")) == "read committed"
        assert await visible(session) == set(bob.items)
