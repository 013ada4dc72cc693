"""Connections that cannot write, and transactions in which no statement takes for ever."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import URL, Connection, NullPool, create_engine
from sqlalchemy.exc import DBAPIError

from hedgerow.connect import connect, first_line
from hedgerow.errors import DatabaseNotReadyError
from hedgerow.sessions.begin import set_locally

_QUERY_CANCELED = "57014"


@dataclass(frozen=True)
class Limits:
    """How often each statement runs, and after how many seconds the server ends it."""

    rounds: int
    timeout: float


@contextmanager
def looking(url: URL, fix: str) -> Iterator[Connection]:
    """Yield a connection whose transactions are all READ ONLY.

    Raises DatabaseNotReadyError, with `fix`, where the server cannot be reached.
    """
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True)
    with connect(engine, fix).execution_options(postgresql_readonly=True) as connection:
        yield connection


@contextmanager
def reading(connection: Connection, limits: Limits, *, past_policies: bool) -> Iterator[None]:
    """Hold a transaction with the time limit; it commits, or psycopg would prepare everything anew.

    With `past_policies` no policy filters: where one would, the statement is an error instead.
    """
    with connection.begin():
        settings = {"statement_timeout": f"{max(round(limits.timeout * 1000), 1)}ms"}
        if past_policies:
            settings["row_security"] = "off"
        set_locally(connection, settings)
        yield


def problem(error: DBAPIError, limits: Limits) -> str:
    """Return why a statement gave nothing, as a clause without a full stop.

    Raises DatabaseNotReadyError where the connection is gone: it would come back able to write.
    """
    if error.connection_invalidated:
        raise DatabaseNotReadyError(f"Lost the connection: {first_line(error)}.") from None
    if getattr(error.orig, "sqlstate", None) == _QUERY_CANCELED:
        return f"took longer than {limits.timeout:g} s"
    return first_line(error)
