"""Put transaction-local settings on a connection, with BEGIN in the same network flush.

psycopg sends BEGIN as a message of its own and waits for the answer before the first statement.
Here BEGIN and the settings leave together in one libpq pipeline, so that a transaction that carries
an identity needs no more round trips than one that carries none.
"""

from collections.abc import Generator, Mapping
from typing import Any

import psycopg
from psycopg import pq
from psycopg.waiting import Ready, Wait
from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.exc import DBAPIError

from hedgerow.errors import IdentityError

_Steps = Generator[Wait, Ready | int, None]


def begin_with(connection: Connection, settings: Mapping[str, str]) -> None:
    """Begin the transaction on the server and make `settings` in it, transaction-locally.

    To be called as SQLAlchemy's transaction begins, before its first statement. With psycopg 3 it
    costs no round trip beyond the BEGIN that would be sent anyway; other drivers pay one.

    Raises IdentityError on a connection in AUTOCOMMIT, where a transaction-local setting would be
    gone before the next statement (P19); a SQLAlchemy DBAPIError where the server refuses.
    """
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        raise IdentityError(_AUTOCOMMIT)
    driver_connection = connection.connection.driver_connection
    if isinstance(driver_connection, psycopg.Connection | psycopg.AsyncConnection):
        if driver_connection.autocommit:
            raise IdentityError(_AUTOCOMMIT)
        if driver_connection.info.transaction_status is pq.TransactionStatus.IDLE:
            _begin_in_one_flush(connection, driver_connection, settings)
            return
    set_locally(connection, settings)


_AUTOCOMMIT = (
    "This connection is in AUTOCOMMIT, where an identity would end with the statement that sets it:"
    " use a connection with transactions for row security."
)


def set_locally(connection: Connection, settings: Mapping[str, str]) -> None:
    """Make `settings` in the transaction that `connection` is in, until that transaction ends.

    One statement, one round trip. Raises a SQLAlchemy DBAPIError where the server refuses.
    """
    calls = [
        func.set_config(bindparam(None, name), bindparam(None, value), True)
        for name, value in settings.items()
    ]
    connection.execute(select(*calls))


def _begin_in_one_flush(
    connection: Connection,
    driver_connection: "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]",
    settings: Mapping[str, str],
) -> None:
    steps = _begin_and_set(driver_connection, settings)
    try:
        if isinstance(driver_connection, psycopg.AsyncConnection):
            connection.connection.dbapi_connection.run_async(  # type: ignore[union-attr]
                lambda raw: _drive_async(raw, steps)
            )
        else:
            with driver_connection.lock:
                driver_connection.wait(steps)
    except psycopg.Error as error:
        dialect = connection.dialect
        lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
        if lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            "BEGIN and set_config() for the identity",
            None,
            error,
            psycopg.Error,
            hide_parameters=True,
            connection_invalidated=lost,
            dialect=dialect,
        ) from error


async def _drive_async(raw: "psycopg.AsyncConnection[Any]", steps: _Steps) -> None:
    async with raw.lock:
        await raw.wait(steps)


def _begin_and_set(
    driver_connection: "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]",
    settings: Mapping[str, str],
) -> _Steps:
    """Send BEGIN and the settings in one pipeline; yield whenever the socket must be waited for."""
    pgconn = driver_connection.pgconn
    placeholders = ", ".join(
        f"set_config(${2 * i + 1}, ${2 * i + 2}, true)" for i in range(len(settings))
    )
    values = [part.encode() for pair in settings.items() for part in pair]
    pgconn.enter_pipeline_mode()
    finished = False
    try:
        pgconn.send_query_params(_begin_command(driver_connection), None)
        pgconn.send_query_params(f"SELECT {placeholders}".encode(), values)
        pgconn.pipeline_sync()
        failure = yield from _read_until_sync(pgconn)
        finished = True
    finally:
        if finished:
            pgconn.exit_pipeline_mode()
        else:  # interrupted: results are still under way, nobody may use this connection again
            pgconn.finish()
    if failure is not None:
        raise psycopg.errors.error_from_result(failure, encoding=driver_connection.info.encoding)


def _read_until_sync(pgconn: pq.abc.PGconn) -> Generator[Wait, Ready | int, pq.abc.PGresult | None]:
    failure: pq.abc.PGresult | None = None
    while pgconn.flush():
        if (yield Wait.RW) & Ready.R:
            pgconn.consume_input()
    while True:
        while pgconn.is_busy():
            yield Wait.R
            pgconn.consume_input()
        result = pgconn.get_result()
        if result is None:
            continue
        if result.status == pq.ExecStatus.PIPELINE_SYNC:
            return failure
        if result.status == pq.ExecStatus.FATAL_ERROR and failure is None:
            failure = result


def _begin_command(
    driver_connection: "psycopg.Connection[Any] | psycopg.AsyncConnection[Any]",
) -> bytes:
    """Spell the BEGIN that psycopg itself would send for this connection's characteristics."""
    words = ["BEGIN"]
    if (level := driver_connection.isolation_level) is not None:
        words.append(f"ISOLATION LEVEL {psycopg.IsolationLevel(level).name.replace('_', ' ')}")
    if (read_only := driver_connection.read_only) is not None:
        words.append("READ ONLY" if read_only else "READ WRITE")
    if (deferrable := driver_connection.deferrable) is not None:
        words.append("DEFERRABLE" if deferrable else "NOT DEFERRABLE")
    return " ".join(words).encode()
