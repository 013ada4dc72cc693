"""One execute is one statement: text that holds more is refused before any of it runs."""

from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from app.core.db import get_engine, get_maintenance_engine
from hedgerow import guard
from tests.support.databases import Database
from tests.support.sessions import ROW_SECURITY, one_connection

TRAP = "SELECT 1; COMMIT; CREATE TEMP TABLE item (title text)"
REFUSED = "cannot insert multiple commands"


@pytest.fixture
def engine(database: Database) -> Iterator[Engine]:
    engine = one_connection(database)
    yield guard(engine, ROW_SECURITY)
    engine.dispose()


@pytest.fixture
async def async_engine(database: Database) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(database.app_url, pool_size=1, max_overflow=0)
    yield guard(engine, ROW_SECURITY)
    await engine.dispose()


def test_stacked_statements_leave_no_trap_on_the_connection(engine: Engine) -> None:
    """P3: without parameters too, where psycopg would use the protocol that allows them."""
    with engine.connect() as connection, pytest.raises(ProgrammingError, match=REFUSED):
        connection.execute(text(TRAP))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('pg_temp.item')")) is None


async def test_nor_on_an_asynchronous_one(async_engine: AsyncEngine) -> None:
    async with async_engine.connect() as connection:
        with pytest.raises(ProgrammingError, match=REFUSED):
            await connection.execute(text(TRAP))
    async with async_engine.connect() as connection:
        assert await connection.scalar(text("SELECT to_regclass('pg_temp.item')")) is None


@pytest.mark.usefixtures("may_run_ddl")
def test_without_it_the_trap_is_laid(database: Database) -> None:
    """The negative control: the same text through psycopg's own cursor."""
    engine = create_engine(database.app_url, pool_size=1, max_overflow=0)
    try:
        with engine.connect() as connection:
            connection.execute(text(TRAP))
            connection.commit()
        with engine.connect() as connection:
            assert connection.scalar(text("SELECT to_regclass('pg_temp.item')")) is not None
    finally:
        engine.dispose()


def test_one_statement_works_as_before(engine: Engine) -> None:
    with engine.connect() as connection:
        row = connection.execute(text("SELECT 1, 'text', now(), '{}'::jsonb")).one()
        assert row[0] == 1
        assert row[3] == {}
        assert connection.execute(text("SELECT :a + 1"), {"a": 41}).scalar() == 42
        raw = connection.connection.driver_connection
        assert raw is not None
        with raw.cursor() as cursor, cursor.copy("COPY (SELECT 7) TO STDOUT") as copy:
            assert list(copy.rows()) == [("7",)]


@pytest.mark.parametrize("get", [get_engine, get_maintenance_engine])
def test_the_applications_engines_are_guarded(get: Callable[[], Engine]) -> None:
    """P3, P56: the settings' own, which requests and operations use."""
    engine = get()
    try:
        with engine.connect() as connection, pytest.raises(ProgrammingError, match=REFUSED):
            connection.execute(text(TRAP))
        with engine.connect() as connection:
            connection.execute(text("SELECT set_config('search_path', 'nowhere', false)"))
            connection.commit()
            assert connection.scalar(text("SHOW search_path")) != "nowhere"
    finally:
        engine.dispose()
