"""Begin a transaction with transaction-local settings, in the flush that BEGIN needs anyway."""

from collections.abc import Mapping
from typing import Any, Final

import psycopg
from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError

from hedgerow import sql
from hedgerow.config.identity import CONTEXT_SETTINGS
from hedgerow.errors import IdentityError
from hedgerow.sessions import guarded, pipeline
from hedgerow.sessions.pipeline import Driver, Steps


def begin_with(connection: Connection, settings: Mapping[str, str]) -> None:
    """Begin the transaction on the server and make `settings` in it, transaction-locally.

    To be called as SQLAlchemy's transaction begins, before its first statement. With psycopg 3 it
    costs no round trip beyond the BEGIN that would be sent anyway; other drivers, and psycopg on a
    libpq before 14, pay one.

    Raises IdentityError on a connection in AUTOCOMMIT, where a transaction-local setting would be
    gone before the next statement (P19), and for a value that cannot be sent as it is; a SQLAlchemy
    DBAPIError where the server refuses. On a guarded connection the same flush cleans the session.
    """
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        raise IdentityError(_AUTOCOMMIT)
    driver_connection = connection.connection.driver_connection
    if isinstance(driver_connection, psycopg.Connection | psycopg.AsyncConnection):
        if driver_connection.autocommit:
            raise IdentityError(_AUTOCOMMIT)
        if pipeline.is_ready(driver_connection):
            _note_context(connection, settings)
            steps = guarded.begin_and_set(driver_connection, settings)
            _drive(connection, driver_connection, steps, "BEGIN and set_config() for the identity")
            return
    set_identity(connection, settings)


_AUTOCOMMIT = (
    "This connection is in AUTOCOMMIT, where an identity would end with the statement that sets it:"
    " use a connection with transactions for row security."
)


def set_identity(connection: Connection, settings: Mapping[str, str]) -> None:
    """Make an identity's `settings` in a transaction that may have been another identity's.

    Of the tenant and the claims, what another has had and this one has not is emptied. Raises what
    `set_locally` raises.
    """
    had = _note_context(connection, settings)
    set_locally(connection, {**dict.fromkeys(had, ""), **settings})


_CONTEXT: Final = "hedgerow_context"


def _note_context(connection: Connection, settings: Mapping[str, str]) -> list[str]:
    """Note which of `CONTEXT_SETTINGS` an identity has had on this connection; return all of them.

    `Connection.info` is that of the pooled connection, so it is also known where a session has
    joined another's transaction (P59); and none is emptied where nobody has ever had one.
    """
    noted: list[str] = connection.info.get(_CONTEXT, [])
    if new := [name for name in CONTEXT_SETTINGS if name in settings and name not in noted]:
        noted = connection.info[_CONTEXT] = [*noted, *new]
    return noted


def set_locally(connection: Connection, settings: Mapping[str, str]) -> None:
    """Make `settings` in the transaction that `connection` is in, until that transaction ends.

    One statement, one round trip. Raises a SQLAlchemy DBAPIError where the server refuses.
    """
    connection.execute(select(*sql.set_config_calls(settings)))


def clean(connection: Connection) -> None:
    """Clean a guarded connection's session, outside of a transaction and at one round trip."""
    driver_connection: Any = connection.connection.driver_connection
    if pipeline.is_ready(driver_connection):
        _drive(connection, driver_connection, guarded.clean(driver_connection), "RESET ALL")


def _drive(
    connection: Connection, driver_connection: Driver, steps: Steps[None], what: str
) -> None:
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
            what,
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


async def _drive_async(raw: psycopg.AsyncConnection[Any], steps: Steps[None]) -> None:
    async with raw.lock:
        await raw.wait(steps)
