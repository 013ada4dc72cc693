"""Statements in one network flush, on psycopg's own connection.

psycopg sends BEGIN as a message of its own and waits for the answer before the first statement.
Here BEGIN and the settings leave together in one libpq pipeline, so that a transaction that carries
an identity needs no more round trips than one that carries none.
"""

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, TypeVar

import psycopg
from psycopg import pq
from psycopg.waiting import Ready, Wait

from hedgerow.config.claims import check_text

Driver = psycopg.Connection[Any] | psycopg.AsyncConnection[Any]
_Result = TypeVar("_Result")
Steps = Generator[Wait, Ready | int | None, _Result]
"""What psycopg drives; it resumes with None or 0 where the socket is not ready."""


def is_ready(driver_connection: Driver) -> bool:
    """Return whether nothing is under way, not even another pipeline."""
    info = driver_connection.info
    return (
        info.transaction_status is pq.TransactionStatus.IDLE
        and info.pipeline_status is pq.PipelineStatus.OFF
        and psycopg.Pipeline.is_supported()
    )


def begin_and_set(
    driver_connection: Driver,
    settings: Mapping[str, str],
    *,
    first: Iterable[bytes] = (),
    calls: Sequence[str] = (),
) -> Steps[None]:
    """Run `first`, begin a transaction, call functions and make `settings` in it: in one flush.

    Yields whenever the socket must be waited for. Raises psycopg's error where the server refuses
    one, and does not run those after it; IdentityError for a value that cannot be sent as it is.
    """
    statements: list[tuple[bytes, Sequence[bytes]]] = [(statement, ()) for statement in first]
    statements.append((_begin_command(driver_connection), ()))
    statements.append(_select(calls, settings))
    return _one_flush(driver_connection, statements)


def _one_flush(
    driver_connection: Driver, statements: Iterable[tuple[bytes, Sequence[bytes]]]
) -> Steps[None]:
    pgconn = driver_connection.pgconn
    failure: pq.abc.PGresult | None = None
    pgconn.enter_pipeline_mode()
    try:
        for statement, values in statements:
            pgconn.send_query_params(statement, values)
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


def _next_result(pgconn: pq.abc.PGconn) -> Steps[pq.abc.PGresult]:
    while True:
        while pgconn.is_busy():
            yield Wait.R
            pgconn.consume_input()
        if (result := pgconn.get_result()) is not None:  # None stands between two statements
            return result


def _select(calls: Sequence[str], settings: Mapping[str, str]) -> tuple[bytes, list[bytes]]:
    """Return the statement that makes `calls` and `settings`, and the parameters of the latter."""
    calls = list(calls)
    for position, value in enumerate(settings.values()):
        text = f"${2 * position + 2}"
        if not value.isascii():
            # In what client_encoding will be once the session is clean, which is not known yet, the
            # bytes could spell another user (P3). ASCII is the same in all of them.
            text = f"pg_catalog.convert_from(pg_catalog.decode({text}, 'hex'), 'UTF8')"
        # Sent back, it would have to be a text of that encoding; nobody asks for it.
        calls.append(f"pg_catalog.set_config(${2 * position + 1}, {text}, true) IS NULL")
    values = [_encoded(part) for pair in settings.items() for part in pair]
    return f"SELECT {', '.join(calls)}".encode(), values


def _encoded(value: str) -> bytes:
    """Return a parameter for libpq, which ends it at its first NUL: one id would become another."""
    check_text(value, "The identity")
    utf8 = value.encode()
    return utf8 if value.isascii() else utf8.hex().encode()


def _begin_command(driver_connection: Driver) -> bytes:
    """Spell the BEGIN that psycopg itself would send for this connection's characteristics."""
    words = ["BEGIN"]
    if (level := driver_connection.isolation_level) is not None:
        words.append(f"ISOLATION LEVEL {psycopg.IsolationLevel(level).name.replace('_', ' ')}")
    if (read_only := driver_connection.read_only) is not None:
        words.append("READ ONLY" if read_only else "READ WRITE")
    if (deferrable := driver_connection.deferrable) is not None:
        words.append("DEFERRABLE" if deferrable else "NOT DEFERRABLE")
    return " ".join(words).encode()
