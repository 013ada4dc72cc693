"""The owner's connections, which stay open from test to test: a new one costs ten statements."""

from typing import Any

from sqlalchemy import URL, Engine, PoolResetState, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

_engines: dict[URL, Engine] = {}


def engine(url: URL) -> Engine:
    """Return the engine of a database's owner; each of its connections begins as if it were new."""
    if url not in _engines:
        # One stays; a test that needs two at once opens the second for itself.
        _engines[url] = create_engine(
            url,
            pool_size=1,
            max_overflow=-1,
            pool_pre_ping=True,
            connect_args={"prepare_threshold": None},  # DISCARD ALL would take them away
        )
        event.listen(_engines[url], "reset", _discard_all)
    return _engines[url]


def _discard_all(connection: Any, _: ConnectionPoolEntry, state: PoolResetState) -> None:
    if not state.terminate_only:
        connection.rollback()
        connection.autocommit = True
        connection.execute("DISCARD ALL")
        connection.autocommit = False


def leave(url: URL) -> None:
    """Close what is open to a database, which is to be dropped or copied."""
    if url in _engines:
        _engines.pop(url).dispose()


def leave_all() -> None:
    """Close all that is open."""
    for url in list(_engines):
        leave(url)
