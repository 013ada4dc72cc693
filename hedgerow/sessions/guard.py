"""Make the connections of an engine safe to hand from one user to the next."""

from functools import partial
from typing import Any, TypeVar

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from hedgerow.config.row_security import RowSecurity
from hedgerow.errors import ConfigurationError
from hedgerow.sessions.cursors import AsyncSingleStatementCursor, SingleStatementCursor
from hedgerow.sessions.guarded import begin_clean

_AnyEngine = TypeVar("_AnyEngine", Engine, AsyncEngine)


def guard(engine: _AnyEngine, row_security: RowSecurity) -> _AnyEngine:
    """Return `engine`, on whose connections SQL leaves nothing behind for the next transaction.

    Each transaction begins clean: with the role and the settings that the connection was opened
    with, whatever SET or `set_config(..., false)` did before, and as nobody until an identity is
    bound. Each execute is one statement. Both at no round trip. Call it once for each engine,
    before its first connection.

    Raises ConfigurationError for another driver than psycopg 3.

    The trap: what a `connect` event of your own does with SET is taken back, too. Put such settings
    into the address (`options=-c ...`) or `ALTER ROLE ... SET`.
    """
    pooled: Engine | AsyncEngine = engine
    sync_engine = pooled.sync_engine if isinstance(pooled, AsyncEngine) else pooled
    if sync_engine.dialect.driver not in ("psycopg", "psycopg_async"):
        raise ConfigurationError(
            f"hedgerow.guard() cannot guard connections of {sync_engine.dialect.driver}:"
            " use an address that begins with postgresql+psycopg."
        )
    event.listen(sync_engine, "connect", partial(_guard_connection, row_security))
    return engine


def _guard_connection(row_security: RowSecurity, _: Any, entry: ConnectionPoolEntry) -> None:
    connection: Any = entry.driver_connection
    is_async = isinstance(connection, psycopg.AsyncConnection)
    connection.cursor_factory = AsyncSingleStatementCursor if is_async else SingleStatementCursor
    begin_clean(connection, {"role": "none", **row_security.settings_for(None)})
