"""Ways in for asynchronous sessions and for connections without a session."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Final
from uuid import UUID

import psycopg
import pytest
from psycopg import pq
from sqlalchemy import URL, Connection, Engine, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import (
    AsyncConnection,
    AsyncEngine,
    AsyncSession,
    create_async_engine,
)
from sqlmodel import col

import hedgerow
from app.models import Item
from hedgerow import Identity, Role, guard
from tests.support.databases import Database
from tests.support.people import Person
from tests.support.sessions import ROW_SECURITY

ITEM_IDS: Final = select(col(Item.id))
WHO: Final = text(
    "SELECT coalesce(current_setting('app.user_id', true), ''),"
    " coalesce(current_setting('app.role', true), ''), current_user"
)
BACKEND: Final = select(func.pg_backend_pid())
NOBODY: Final = ("", "", "rls_app_user")


@asynccontextmanager
async def async_pool_of_one(url: URL, **options: object) -> AsyncIterator[AsyncEngine]:
    """Yield a guarded engine of one connection, so that everybody gets the same one."""
    engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=5, **options)
    try:
        yield guard(engine, ROW_SECURITY)
    finally:
        await engine.dispose()


async def async_session_of(
    engine: AsyncEngine, person: Person, role: Role = Role.USER
) -> AsyncSession:
    """Return an asynchronous session that is bound to `person`."""
    session = AsyncSession(engine, expire_on_commit=False)
    await hedgerow.bind_async(session, Identity(person.id, role), ROW_SECURITY)
    return session


async def visible(source: AsyncSession | AsyncConnection) -> set[UUID]:
    """Return the ids of the items that the source sees; the query names no owner."""
    return set(await source.scalars(ITEM_IDS))


@contextmanager
def connection_of(engine: Engine, person: Person, role: Role = Role.USER) -> Iterator[Connection]:
    """Yield a connection that is bound to `person`."""
    with engine.connect() as connection:
        hedgerow.bind(connection, Identity(person.id, role), ROW_SECURITY)
        yield connection


@asynccontextmanager
async def async_connection_of(
    engine: AsyncEngine, person: Person, role: Role = Role.USER
) -> AsyncIterator[AsyncConnection]:
    """Yield an asynchronous connection that is bound to `person`."""
    async with engine.connect() as connection:
        await hedgerow.bind_async(connection, Identity(person.id, role), ROW_SECURITY)
        yield connection


async def assert_nobodys(engine: AsyncEngine, backend: int | None = None) -> None:
    """Assert that the pool's connection is `backend`, out of any pipeline, and carries nobody."""
    async with engine.connect() as connection:
        raw = (await connection.get_raw_connection()).driver_connection
        assert isinstance(raw, psycopg.AsyncConnection)
        assert raw.pgconn.transaction_status == pq.TransactionStatus.IDLE
        assert raw.pgconn.pipeline_status == pq.PipelineStatus.OFF
        assert tuple((await connection.execute(WHO)).one()) == NOBODY
        if backend is not None:
            assert await connection.scalar(BACKEND) == backend
        with pytest.raises(DBAPIError, match="row-level security"):
            await connection.execute(ITEM_IDS)


def state_of(database: Database, backend: int | None) -> str | None:
    """Return what pg_stat_activity says of a backend."""
    with database.as_owner() as owner:
        state: str | None = owner.scalar(
            text("SELECT state FROM pg_stat_activity WHERE pid = :pid"), {"pid": backend}
        )
    return state


def terminate(database: Database, backend: int | None) -> None:
    """Have the server close a backend, and wait until it is gone."""
    with database.as_owner() as owner:
        assert owner.scalar(select(func.pg_terminate_backend(backend, 10_000)))
