"""Put transaction-local settings on a connection, with BEGIN in the same network flush.

psycopg sends BEGIN as a message of its own and waits for the answer before the first statement.
Here BEGIN and the settings leave together in one libpq pipeline, so that a transaction that carries
an identity needs no more round trips than one that carries none.
"""

from collections.abc import Generator, Mapping
from typing import Any, TypeVar

import psycopg
from psycopg import pq
from psycopg.waiting import Ready, Wait
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.errors import IdentityError

_Driver = psycopg.Connection[Any] | psycopg.AsyncConnection[Any]
_Result = TypeVar("_Result")
_Steps = Generator[Wait, Ready | int | None, _Result]
"""What psycopg drives; it resumes with None or 0 where the socket is not ready."""


def begin_with(connection: Connection, settings: Mapping[str, str]) -> None:
    """Begin the transaction on the server and make `settings` in it, transaction-locally.

    To be called as SQLAlchemy's transaction begins, before its first statement. With psycopg 3 it
    costs no round trip beyond the BEGIN that would be sent anyway; other drivers, and psycopg on a
    libpq before 14, pay one.

    Raises IdentityError on a connection in AUTOCOMMIT, where a transaction-local setting would be
    gone before the next statement (P19), and for a value that cannot be sent as it is; a SQLAlchemy
    DBAPIError where the server refuses.
    """
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        raise IdentityError(_AUTOCOMMIT)
    driver_connection = connection.connection.driver_connection
    if isinstance(driver_connection, psycopg.Connection | psycopg.AsyncConnection):
        if driver_connection.autocommit:
            raise IdentityError(_AUTOCOMMIT)
        if _is_ready_for_a_pipeline(driver_connection):
            _begin_in_one_flush(connection, driver_connection, settings)
            return
    set_locally(connection, settings)


def _is_ready_for_a_pipeline(driver_connection: _Driver) -> bool:
    """Return whether nothing is under way, not even another pipeline."""
    info = driver_connection.info
    return (
        info.transaction_status is pq.TransactionStatus.IDLE
        and info.pipeline_status is pq.PipelineStatus.OFF
        and psycopg.Pipeline.is_supported()
    )


_AUTOCOMMIT = (
    "This connection is in AUTOCOMMIT, where an identity would end with the statement that sets it:"
    " use a connection with transactions for row security."
)


def set_locally(connection: Connection, settings: Mapping[str, str]) -> None:
    """Make `settings` in the transaction that `connection` is in, until that transaction ends.

    One statement, one round trip. Raises a SQLAlchemy DBAPIError where the server refuses.
    """
    connection.execute(select(*sql.set_config_calls(settings)))


def _begin_in_one_flush(
    connection: Connection,
    driver_connection: _Driver,
    settings: Mapping[str, str],
) -> None:
    encoding = driver_connection.info.encoding
    values = [_encoded(part, encoding) for pair in settings.items() for part in pair]
    steps = _begin_and_set(driver_connection, values)
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
    except BaseException:  # Ctrl-C or a cancelled task: how far it came is unknown
        connection.invalidate()
        raise


async def _drive_async(raw: "psycopg.AsyncConnection[Any]", steps: _Steps[None]) -> None:
    async with raw.lock:
        await raw.wait(steps)


def _begin_and_set(driver_connection: _Driver, values: list[bytes]) -> _Steps[None]:
    """Send BEGIN and the settings in one pipeline; yield whenever the socket must be waited for.

    `values` holds name and value of each setting in turn.
    """
    pgconn = driver_connection.pgconn
    calls = ", ".join(f"set_config(${i}, ${i + 1}, true)" for i in range(1, len(values), 2))
    failure: pq.abc.PGresult | None = None
    pgconn.enter_pipeline_mode()
    try:
        pgconn.send_query_params(_begin_command(driver_connection), None)
        pgconn.send_query_params(f"SELECT {calls}".encode(), values)
        pgconn.pipeline_sync()
        while pgconn.flush():
            if ((yield Wait.RW) or 0) & Ready.R:
                pgconn.consume_input()
        while (result := (yield from _next_result(pgconn))).status != pq.ExecStatus.PIPELINE_SYNC:
            if result.status == pq.ExecStatus.FATAL_ERROR and failure is None:
                failure = result
        pgconn.exit_pipeline_mode()
    except BaseException as error:
        pgconn.finish()  # results are still under way: this connection must not be used again
        if failure is None or not isinstance(error, psycopg.OperationalError):
            raise
        # The server hung up, but told why before it did.
    if failure is not None:
        raise psycopg.errors.error_from_result(failure, encoding=driver_connection.info.encoding)


def _next_result(pgconn: pq.abc.PGconn) -> _Steps[pq.abc.PGresult]:
    while True:
        while pgconn.is_busy():
            yield Wait.R
            pgconn.consume_input()
        if (result := pgconn.get_result()) is not None:  # None stands between two statements
            return result


def _encoded(value: str, encoding: str) -> bytes:
    """Return a parameter for libpq, which ends it at its first NUL: one id would become another."""
    if "\0" in value:
        raise IdentityError("A user id must not hold a NUL character: PostgreSQL has none.")
    try:
        return value.encode(encoding)
    except UnicodeEncodeError:
        raise IdentityError(
            f"The user id cannot be written in {encoding}, this connection's client_encoding:"
            " leave that at its default, UTF8."
        ) from None


def _begin_command(driver_connection: _Driver) -> bytes:
    """Spell the BEGIN that psycopg itself would send for this connection's characteristics."""
    words = ["BEGIN"]
    if (level := driver_connection.isolation_level) is not None:
        words.append(f"ISOLATION LEVEL {psycopg.IsolationLevel(level).name.replace('_', ' ')}")
    if (read_only := driver_connection.read_only) is not None:
        words.append("READ ONLY" if read_only else "READ WRITE")
    if (deferrable := driver_connection.deferrable) is not None:
        words.append("DEFERRABLE" if deferrable else "NOT DEFERRABLE")
    return " ".join(words).encode()
