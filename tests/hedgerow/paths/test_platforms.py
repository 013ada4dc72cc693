"""The same wire under psycopg without its binary part, and on uvloop."""

import asyncio
import ctypes.util
import os
import sys

import pytest

from tests.hedgerow.paths.support import async_pool_of_one, async_session_of, visible
from tests.support.databases import PROJECT, Database
from tests.support.people import Person
from tests.support.processes import run_command


@pytest.mark.skipif(ctypes.util.find_library("pq") is None, reason="no libpq is installed")
def test_psycopg_without_its_binary_part(database: Database, alice: Person, bob: Person) -> None:
    program = """
import asyncio, sys
from uuid import UUID
import psycopg
from sqlalchemy import create_engine, text
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
import hedgerow
assert psycopg.pq.__impl__ == "python"
url, *people = sys.argv[1:]
security = hedgerow.RowSecurity()
items = text("SELECT owner_id FROM item")
engine = create_engine(url, pool_size=1, max_overflow=0)
for person in people:
    with Session(engine) as session:
        hedgerow.bind(session, hedgerow.Identity(person), security)
        assert set(session.scalars(items)) == {UUID(person)}
async def main():
    engine = create_async_engine(url, pool_size=1, max_overflow=0)
    for person in people:
        async with AsyncSession(engine) as session:
            await hedgerow.bind_async(session, hedgerow.Identity(person), security)
            assert set(await session.scalars(items)) == {UUID(person)}
    await engine.dispose()
asyncio.run(main())
engine.dispose()
"""
    url = database.app_url.render_as_string(hide_password=False)
    result = run_command(
        [sys.executable, "-c", program, url, str(alice.id), str(bob.id)],
        folder=PROJECT,
        environment={**os.environ, "PSYCOPG_IMPL": "python"},
    )
    assert result.returncode == 0, result.stderr


def test_uvloop(database: Database, alice: Person, bob: Person) -> None:
    """The event loop of `fastapi run`."""
    uvloop = pytest.importorskip("uvloop", reason="uvloop does not exist for this system")

    async def ask_as_both() -> None:
        async with async_pool_of_one(database.app_url) as engine:
            for person in (alice, bob, alice):
                async with await async_session_of(engine, person) as session:
                    assert await visible(session) == set(person.items)

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(ask_as_both())
