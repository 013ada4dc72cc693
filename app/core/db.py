"""Engines: the application role's for requests, the owner's for migrations."""

import atexit
from functools import cache
from pathlib import Path

from sqlalchemy import URL, Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlmodel import Session, SQLModel

from app.core.config import settings
from app.core.rls import row_security
from app.initial_data import create_first_users
from hedgerow import sql
from hedgerow.embedded import EmbeddedServer
from hedgerow.readiness import verify

EMBEDDED_DIRECTORY = Path(__file__).resolve().parents[2] / ".hedgerow" / "postgres"


@cache
def owner_url() -> URL:
    """Return where the owner connects; starts the embedded server where none is configured.

    This process is a user of that server until `shutdown()`, or until it ends.
    Raises hedgerow.embedded.EmbeddedServerError where it cannot be started.
    """
    if settings.owner_url is not None:
        return settings.owner_url
    server = _embedded_server()
    address = server.acquire()
    atexit.register(server.release)
    url = URL.create(
        "postgresql+psycopg",
        username=address.user,
        password=address.password,
        host=address.host,
        port=address.port,
        database="postgres",
    )
    _create_database(url, settings.POSTGRES_DB)
    return url.set(database=settings.POSTGRES_DB)


@cache
def _embedded_server() -> EmbeddedServer:
    return EmbeddedServer(EMBEDDED_DIRECTORY)


def _create_database(url: URL, name: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        exists = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if connection.scalar(exists, {"name": name}):
            return
        try:
            connection.execute(sql.Statement(f"CREATE DATABASE {sql.name(name)}"))
        except (ProgrammingError, OperationalError):
            # Another process that starts at the same moment was quicker.
            if not connection.scalar(exists, {"name": name}):
                raise


def application_url() -> URL:
    """Return where requests connect: the owner's database, as RLS_APP_USER."""
    return owner_url().set(username=settings.RLS_APP_USER, password=settings.RLS_APP_PASSWORD)


@cache
def get_engine() -> Engine:
    """Return the engine of every request, made on first use; it logs in as RLS_APP_USER."""
    return create_engine(application_url(), pool_pre_ping=True, hide_parameters=True)


def owner_engine() -> Engine:
    """Return an engine that logs in as the owner: for migrations, never for a request."""
    return create_engine(owner_url(), poolclass=NullPool)


def new_session() -> Session:
    """Return a session as the application role, with no identity yet.

    Objects stay readable after a commit: reading them again would begin a transaction.
    """
    return Session(get_engine(), expire_on_commit=False)


def startup() -> None:
    """Make sure that the database keeps users apart, and that the first users exist.

    Raises DatabaseNotReadyError, whose message names the cure.
    """
    verify(get_engine(), SQLModel.metadata, row_security)
    with new_session() as session:
        create_first_users(session)


def shutdown() -> None:
    """Close the connections, and let the embedded server stop if nobody else uses it."""
    get_engine().dispose()
    if settings.owner_url is None:
        _embedded_server().release()
    for cached in (get_engine, owner_url):
        cached.cache_clear()
