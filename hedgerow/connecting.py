"""What to tell a person whose connection failed."""

from sqlalchemy import Engine
from sqlalchemy.exc import OperationalError


def explain_connection_failure(engine: Engine, error: OperationalError, cure: str) -> str:
    """Return one line: to where, as whom, why, and what to look at; never the password."""
    url = engine.url
    reason = str(error.orig).splitlines()[0].rstrip(".")
    return (
        f"Cannot connect to PostgreSQL as {url.username!r} at {url.host}:{url.port or 5432}"
        f"/{url.database}: {reason}. Check that the server runs there, and DATABASE_URL (or"
        f" POSTGRES_*). {cure}"
    )
