"""What to tell a person when PostgreSQL cannot be reached, or refuses."""

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from hedgerow.errors import DatabaseNotReadyError, HedgerowError


def first_line(error: DBAPIError) -> str:
    """Return the line of a database error that says what is wrong, without a full stop."""
    return str(error.orig).splitlines()[0].rstrip(".")


def explain_connection_failure(engine: Engine, error: DBAPIError, fix: str) -> str:
    """Return one line: server, login, reason and what to look at; never the password."""
    url = engine.url
    return (
        f"Cannot connect to PostgreSQL as {url.username!r} at {url.host}:{url.port or 5432}"
        f"/{url.database}: {first_line(error)}. Check that the server runs there, and DATABASE_URL"
        f" (or POSTGRES_*). {fix}"
    )


def connect(
    engine: Engine, fix: str, error: type[HedgerowError] = DatabaseNotReadyError
) -> Connection:
    """Connect, or raise `error` with one line that ends with `fix`."""
    try:
        return engine.connect()
    except DBAPIError as failure:
        raise error(explain_connection_failure(engine, failure, fix)) from None
