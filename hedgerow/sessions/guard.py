"""Make the connections of an engine safe to hand from one user to the next."""

from collections.abc import Mapping
from functools import partial
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Connection, Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import ConfigurationError
from hedgerow.sessions.begin import clean
from hedgerow.sessions.cursors import AsyncSingleStatementCursor, SingleStatementCursor
from hedgerow.sessions.guarded import guard_connection, guarded

_AnyEngine = TypeVar("_AnyEngine", Engine, AsyncEngine)


def guard(engine: _AnyEngine, row_security: RowSecurity) -> _AnyEngine:
    """Return `engine`, on whose connections SQL leaves nothing behind for the next transaction.

    Each transaction begins clean: with the role and the settings that the connection was opened
    with, whatever SET or `set_config(..., false)` did before, and as nobody until an identity is
    bound. Each execute is one statement. Both at no round trip; in AUTOCOMMIT at one a statement.
    Advisory locks of the session's end with the connection's return to the pool, and one on which
    PREPARE, LISTEN, DECLARE or DO was run is closed then. Call it once for each engine.

    Raises ConfigurationError for another driver than psycopg 3.

    The trap: what a `connect` event of your own does with SET is taken back, too. Put such settings
    into the address (`options=-c ...`) or `ALTER DATABASE ... SET`.
    """
    pooled: Engine | AsyncEngine = engine
    sync_engine = pooled.sync_engine if isinstance(pooled, AsyncEngine) else pooled
    if sync_engine.dialect.driver not in ("psycopg", "psycopg_async"):
        raise ConfigurationError(
            f"hedgerow.guard() cannot guard connections of {sync_engine.dialect.driver}:"
            " use an address that begins with postgresql+psycopg."
        )
    nobody = row_security.settings_for(None)
    event.listen(sync_engine, "checkout", partial(_guard_connection, nobody))
    event.listen(sync_engine, "checkin", _close_with_what_was_left)
    event.listen(sync_engine, "before_cursor_execute", _clean_in_autocommit)
    return engine


def _guard_connection(
    nobody: Mapping[str, str], _: object, entry: ConnectionPoolEntry, __: object
) -> None:
    connection: Any = entry.driver_connection
    if (state := guarded(connection)) is None:
        state = guard_connection(connection, nobody)
        is_async = isinstance(connection, psycopg.AsyncConnection)
        factory = AsyncSingleStatementCursor if is_async else SingleStatementCursor
        connection.cursor_factory = factory
    state.is_from_pool, state.ran_block = True, False


def _close_with_what_was_left(_: object, entry: ConnectionPoolEntry) -> None:
    connection: Any = entry.driver_connection
    if connection is not None and (state := guarded(connection)) and state.has_more:
        entry.invalidate()


def _clean_in_autocommit(connection: Connection, *_: object) -> None:
    driver_connection: Any = connection.connection.driver_connection
    if driver_connection.autocommit:
        clean(connection)
