"""An asynchronous session is its user from the first statement on, whatever that is, for good."""

from collections.abc import Awaitable, Callable
from uuid import uuid4

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import selectinload
from sqlmodel import col

import hedgerow
from app.models import Item, User
from hedgerow import Identity, Role
from tests.hedgerow.paths.support import ITEM_IDS, NOBODY, WHO, async_session_of, visible
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY

FirstStatement = Callable[[AsyncSession, Person], Awaitable[None]]


async def by_select(session: AsyncSession, person: Person) -> None:
    assert await visible(session) == set(person.items)


async def by_get(session: AsyncSession, person: Person) -> None:
    assert await session.get(Item, person.items[0]) is not None


async def by_stream(session: AsyncSession, person: Person) -> None:
    rows = await session.stream(select(Item).execution_options(yield_per=1))
    assert {row[0].id async for row in rows} == set(person.items)


async def by_stream_scalars(session: AsyncSession, person: Person) -> None:
    assert {item async for item in await session.stream_scalars(ITEM_IDS)} == set(person.items)


async def by_core(session: AsyncSession, person: Person) -> None:
    connection = await session.connection()
    assert await visible(connection) == set(person.items)


async def by_flush(session: AsyncSession, person: Person) -> None:
    session.add(Item(owner_id=person.id, title="new"))
    await session.flush()
    await session.rollback()


async def by_autoflush(session: AsyncSession, person: Person) -> None:
    item = Item(owner_id=person.id, title="new")
    session.add(item)
    assert await visible(session) == {*person.items, item.id}
    await session.rollback()


async def by_bulk_insert(session: AsyncSession, person: Person) -> None:
    rows = [{"id": uuid4(), "owner_id": person.id, "title": str(n)} for n in range(3)]
    await session.execute(insert(Item), rows)
    await session.rollback()


async def by_bulk_update(session: AsyncSession, person: Person) -> None:
    changed = await session.scalars(update(Item).values(title="new").returning(col(Item.id)))
    assert set(changed) == set(person.items)
    await session.rollback()


async def by_refresh(session: AsyncSession, person: Person) -> None:
    item = await session.get_one(Item, person.items[0])
    await session.rollback()
    await session.refresh(item)
    assert item.owner_id == person.id


async def by_lazy_load(session: AsyncSession, person: Person) -> None:
    user = await session.get_one(User, person.id)
    await session.commit()
    items = await session.run_sync(lambda _: list(user.items))
    assert {item.id for item in items} == set(person.items)


async def by_selectinload(session: AsyncSession, person: Person) -> None:
    everybody = select(User).options(selectinload(User.items))  # type: ignore[arg-type]
    loaded = {item.id for user in await session.scalars(everybody) for item in user.items}
    assert loaded == set(person.items)


FIRST_STATEMENTS = (
    by_select, by_get, by_stream, by_stream_scalars, by_core, by_flush, by_autoflush,
    by_bulk_insert, by_bulk_update, by_refresh, by_lazy_load, by_selectinload,
)  # fmt: skip


@pytest.mark.parametrize("first_statement", FIRST_STATEMENTS)
async def test_any_first_statement_carries_the_identity(
    first_statement: FirstStatement, async_pool: AsyncEngine, alice: Person, bob: Person
) -> None:
    """P18."""
    for person in (alice, bob):
        async with await async_session_of(async_pool, person) as session:
            await first_statement(session, person)
            assert await visible(session) == set(person.items)


async def commit(session: AsyncSession, _person: Person) -> None:
    await session.commit()


async def roll_back(session: AsyncSession, _person: Person) -> None:
    await session.rollback()


async def close(session: AsyncSession, _person: Person) -> None:
    await session.close()


async def fail_and_roll_back(session: AsyncSession, _person: Person) -> None:
    with pytest.raises(ProgrammingError):
        await session.execute(text("SELECT no_such_column FROM item"))
    await session.rollback()


async def fail_to_commit(session: AsyncSession, _person: Person) -> None:
    session.add(Item(owner_id=uuid4(), title="no owner"))
    with pytest.raises(ProgrammingError, match="row-level security"):
        await session.commit()
    await session.rollback()


async def fail_on_a_constraint(session: AsyncSession, person: Person) -> None:
    row = {"id": uuid4(), "owner_id": person.id, "title": None}
    with pytest.raises(IntegrityError):
        await session.execute(insert(Item), [row])
    await session.rollback()


@pytest.mark.parametrize(
    "ending", [commit, roll_back, close, fail_and_roll_back, fail_to_commit, fail_on_a_constraint]
)
async def test_the_next_transaction_carries_the_identity_too(
    ending: FirstStatement, async_pool: AsyncEngine, alice: Person, bob: Person
) -> None:
    """P13."""
    async with await async_session_of(async_pool, alice) as session:
        for first_statement in FIRST_STATEMENTS:
            assert await visible(session) == set(alice.items)
            await ending(session, alice)
            await first_statement(session, alice)
            assert await visible(session) == set(alice.items)


async def test_an_identity_bound_in_an_open_transaction_holds_at_once(
    async_pool: AsyncEngine, alice: Person, bob: Person
) -> None:
    async with AsyncSession(async_pool) as session:
        assert tuple((await session.execute(WHO)).one()) == NOBODY
        await hedgerow.bind_async(session, Identity(alice.id), ROW_SECURITY)
        assert await visible(session) == set(alice.items)
        await hedgerow.bind_async(session, Identity(alice.id, Role.ADMIN), ROW_SECURITY)
        assert await visible(session) == {*alice.items, *bob.items}
        await session.commit()
        assert tuple((await session.execute(WHO)).one()) == (str(alice.id), "admin", "rls_admin")
