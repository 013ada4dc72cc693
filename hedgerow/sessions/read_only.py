"""Make an engine's transactions READ ONLY, on the pool that others write through."""

from typing import Any, TypeVar

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

_AnyEngine = TypeVar("_AnyEngine", Engine, AsyncEngine)


def read_only(engine: _AnyEngine) -> _AnyEngine:
    """Return an engine on `engine`'s pool that begins each transaction as READ ONLY.

    BEGIN says so, at no round trip; no later statement can take it back, since the first query has
    been run by then. For requests that only read: SQL that is injected into them cannot write, in
    tables without policies either. Call it once for each engine, and keep what it returns.

    The trap: PostgreSQL counts `SELECT … FOR UPDATE` and `nextval()` among writes.
    """
    pooled: Engine | AsyncEngine = engine
    sync_engine = pooled.sync_engine if isinstance(pooled, AsyncEngine) else pooled
    if not event.contains(sync_engine, "checkin", _forget):
        event.listen(sync_engine, "checkin", _forget)
    return engine.execution_options(postgresql_readonly=True)


def _forget(dbapi_connection: Any, entry: ConnectionPoolEntry) -> None:
    """Have the connection's next BEGIN say nothing again.

    SQLAlchemy leaves it at READ WRITE, which a standby refuses, and which goes past
    `default_transaction_read_only`.
    """
    driver_connection: object = entry.driver_connection
    if isinstance(driver_connection, psycopg.Connection | psycopg.AsyncConnection):
        dbapi_connection.set_read_only(None)
