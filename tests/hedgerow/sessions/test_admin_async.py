"""Admin blocks and identities on an AsyncSession, over psycopg's own async connection."""

from collections.abc import AsyncIterator
from uuid import UUID

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.orm import Session
from sqlmodel import col

import hedgerow
from app.models import Item
from hedgerow import Identity, IdentityError
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY, AdminContext


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"  # SQLAlchemy's async engines know no other


@pytest.fixture
async def engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database.app_url, pool_size=1, max_overflow=0, pool_timeout=5)
    yield engine
    await engine.dispose()


def session_of(engine: AsyncEngine, person: Person) -> AsyncSession:
    session = AsyncSession(engine, expire_on_commit=False)
    hedgerow.bind(session.sync_session, Identity(person.id), ROW_SECURITY)
    return session


async def visible(session: AsyncSession) -> set[UUID]:
    return set(await session.scalars(select(col(Item.id))))


async def test_every_transaction_carries_the_identity(
    engine: AsyncEngine, alice: Person, bob: Person
) -> None:
    """P11, P13."""
    for person in (alice, bob, alice):
        async with session_of(engine, person) as session:
            assert await visible(session) == set(person.items)
            await session.commit()
            assert await visible(session) == set(person.items)
            with pytest.raises(ProgrammingError):
                await session.execute(text("SELECT no_such_column"))
            await session.rollback()
            assert await visible(session) == set(person.items)


async def test_get_and_stream_carry_the_identity(
    engine: AsyncEngine, alice: Person, bob: Person
) -> None:
    """P18."""
    async with session_of(engine, alice) as session:
        assert await session.get(Item, bob.items[0]) is None
        assert await session.get(Item, alice.items[0]) is not None
        await session.rollback()
        rows = await session.stream_scalars(select(col(Item.id)))
        assert {item async for item in rows} == set(alice.items)
        await session.rollback()
        session.add(Item(owner_id=bob.id, title="smuggled"))
        with pytest.raises(ProgrammingError, match="row-level security"):
            await session.flush()


@pytest.mark.parametrize("in_transaction", [False, True])
@pytest.mark.parametrize(
    "create", [AdminContext.create_full_admin, AdminContext.create_read_only_admin]
)
async def test_the_block_elevates_and_restores(
    create: object, in_transaction: bool, engine: AsyncEngine, alice: Person, bob: Person
) -> None:
    assert callable(create)
    async with session_of(engine, alice) as session:
        if in_transaction:
            await visible(session)
        async with create(alice.id, session):
            assert await visible(session) == {*alice.items, *bob.items}
        assert await visible(session) == set(alice.items)
        session.add(Item(owner_id=bob.id, title="smuggled"))
        with pytest.raises(ProgrammingError, match="row-level security"):
            await session.flush()


async def test_what_is_pending_is_flushed_as_the_admin(
    engine: AsyncEngine, alice: Person, bob: Person
) -> None:
    item = Item(owner_id=bob.id, title="from the admin")
    async with session_of(engine, alice) as session:
        async with AdminContext.create_full_admin(alice.id, session):
            session.add(item)
        await session.commit()
    async with session_of(engine, bob) as session:
        assert await visible(session) == {*bob.items, item.id}


@pytest.mark.parametrize("in_transaction", [False, True])
async def test_an_error_in_the_block_reaches_the_caller(
    in_transaction: bool, engine: AsyncEngine, alice: Person, bob: Person
) -> None:
    """P21."""
    async with session_of(engine, alice) as session:
        if in_transaction:
            await visible(session)
        with pytest.raises(ProgrammingError, match="no_such_column"):
            async with AdminContext.create_full_admin(alice.id, session):
                await session.execute(text("SELECT no_such_column"))
        assert await visible(session) == set(alice.items)


async def test_a_plain_session_takes_no_async_with(alice: Person, database: Database) -> None:
    with Session(database.engine(database.app_url)) as session:
        block = AdminContext.create_full_admin(alice.id, session)
        with pytest.raises(TypeError, match="plain `with"):
            async with block:
                raise AssertionError("The block was entered.")


async def test_autocommit_is_refused(engine: AsyncEngine, alice: Person) -> None:
    """P19."""
    autocommit = engine.execution_options(isolation_level="AUTOCOMMIT")
    async with session_of(autocommit, alice) as session:
        with pytest.raises(IdentityError, match="AUTOCOMMIT"):
            await visible(session)


async def test_a_killed_connection_is_reported_and_replaced(
    engine: AsyncEngine, database: Database, alice: Person
) -> None:
    async with session_of(engine, alice) as session:
        backend = await session.scalar(select(func.pg_backend_pid()))
    with database.as_owner() as owner:
        owner.execute(select(func.pg_terminate_backend(backend, 10_000)))
    async with session_of(engine, alice) as session:
        with pytest.raises(DBAPIError) as caught:
            await visible(session)
        assert caught.value.connection_invalidated
    async with session_of(engine, alice) as session:
        assert await visible(session) == set(alice.items)
