"""Engines: the application role's for requests, the owner's for migrations."""

import atexit
from functools import cache
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Engine, NullPool, create_engine, make_url, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlmodel import Session, SQLModel
from sqlmodel.ext.asyncio.session import AsyncSession

from app.core.config import settings
from app.core.rls import row_security
from app.core.security import dummy_hash
from app.core.strength import DEFAULT_SECRET
from app.initial_data import create_first_users
from hedgerow import LoginPasswords, guard, read_only, verify
from hedgerow.embedded import EmbeddedServer, ServerAddress

POOL: Final = {"pool_size": 5, "max_overflow": 10}
"""How many connections an engine keeps, and how many more it may open."""

EMBEDDED_DIRECTORY = Path(__file__).resolve().parents[2] / ".hedgerow" / "postgres"


@cache
def owner_url() -> URL:
    """Return where the owner connects; starts the embedded server where none is configured.

    This process is a user of that server until `shutdown()`, or until it ends.
    Raises hedgerow.embedded.EmbeddedServerError where it cannot be started.
    """
    if settings.owner_url is not None:
        return settings.owner_url
    url = _embedded_address().url()
    _create_database(url, settings.POSTGRES_DB)
    return url.set(database=settings.POSTGRES_DB)


@cache
def _embedded_server() -> EmbeddedServer:
    return EmbeddedServer(EMBEDDED_DIRECTORY)


@cache
def _embedded_address() -> ServerAddress:
    server = _embedded_server()
    address = server.acquire()
    atexit.register(server.release)
    return address


def login_passwords() -> LoginPasswords:
    """Return the passwords of the roles that log in, other than the owner.

    On the embedded server a password that the settings leave at its default is random. Raises
    hedgerow.embedded.EmbeddedServerError where that server cannot be started.
    """
    app, maintenance = settings.RLS_APP_PASSWORD, settings.RLS_MAINTENANCE_ADMIN_PASSWORD
    if not settings.database_configured:
        server = _embedded_address()
        if app == DEFAULT_SECRET:
            app = server.password_of(settings.RLS_APP_USER)
        if maintenance == DEFAULT_SECRET:
            maintenance = server.password_of(settings.RLS_MAINTENANCE_ADMIN)
    return LoginPasswords(app=app, maintenance=maintenance)


def _create_database(url: URL, name: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        exists = text("SELECT 1 FROM pg_database WHERE datname = :name")
        if connection.scalar(exists, {"name": name}):
            return
        try:
            quoted = connection.dialect.identifier_preparer.quote_identifier(name)
            connection.exec_driver_sql(f"CREATE DATABASE {quoted}")
        except (ProgrammingError, OperationalError):
            # Another process that starts at the same moment was quicker.
            if not connection.scalar(exists, {"name": name}):
                raise


def application_url() -> URL:
    """Return where requests connect: the database or its pooler, as RLS_APP_USER."""
    pooler = settings.DATABASE_POOLER_URL
    url = make_url(pooler).set(drivername="postgresql+psycopg") if pooler else owner_url()
    return url.set(username=settings.RLS_APP_USER, password=login_passwords().app)


def _engine_options() -> dict[str, Any]:
    options: dict[str, Any] = {**POOL, "pool_pre_ping": True, "hide_parameters": True}
    if settings.DATABASE_POOLER_URL:
        # A prepared statement stays on a server connection, which the next transaction leaves.
        options["connect_args"] = {"prepare_threshold": None}
    return options


@cache
def get_engine() -> Engine:
    """Return the engine of every request, made on first use; it logs in as RLS_APP_USER."""
    return guard(create_engine(application_url(), **_engine_options()), row_security)


@cache
def get_async_engine() -> AsyncEngine:
    """Return the engine of asynchronous routes, with a pool of its own."""
    return guard(create_async_engine(application_url(), **_engine_options()), row_security)


@cache
def get_read_only_engine() -> Engine:
    """Return `get_engine()` with READ ONLY transactions, on the same pool."""
    return read_only(get_engine())


@cache
def get_read_only_async_engine() -> AsyncEngine:
    """Return `get_async_engine()` with READ ONLY transactions, on the same pool."""
    return read_only(get_async_engine())


def maintenance_url() -> URL:
    """Return where operations connect: the database itself, as RLS_MAINTENANCE_ADMIN."""
    return owner_url().set(
        username=settings.RLS_MAINTENANCE_ADMIN, password=login_passwords().maintenance
    )


@cache
def get_maintenance_engine() -> Engine:
    """Return an engine for operations, made on first use."""
    engine = create_engine(maintenance_url(), poolclass=NullPool, hide_parameters=True)
    return guard(engine, row_security)


def owner_engine() -> Engine:
    """Return an engine that logs in as the owner: for migrations, never for a request."""
    return create_engine(owner_url(), poolclass=NullPool)


def new_session(*, read_only: bool = False) -> Session:
    """Return a session as the application role, with no identity yet.

    With `read_only` each of its transactions is READ ONLY.

    Objects stay readable after a commit: reading them again would begin a transaction. Once closed
    it stays closed: a response that goes on after its request opens a session of its own.
    """
    engine = get_read_only_engine() if read_only else get_engine()
    return Session(engine, expire_on_commit=False, close_resets_only=False)


def new_async_session(*, read_only: bool = False) -> AsyncSession:
    """Do what `new_session` does, asynchronously; `run_sync` gives crud a plain session."""
    return AsyncSession(
        get_read_only_async_engine() if read_only else get_async_engine(),
        expire_on_commit=False,
        close_resets_only=False,
        sync_session_class=Session,
    )


def startup() -> None:
    """Make sure that the database keeps users apart, and that the first users exist.

    Raises DatabaseNotReadyError, whose message names the fix.
    """
    verify(get_engine(), SQLModel.metadata, row_security)
    dummy_hash()
    with new_session() as session:
        create_first_users(session)


async def close_async_connections() -> None:
    """Close the connections of asynchronous routes, in the event loop that opened them."""
    if get_async_engine.cache_info().currsize:
        await get_async_engine().dispose()
        get_async_engine.cache_clear()
        get_read_only_async_engine.cache_clear()


def shutdown() -> None:
    """Close the connections, and stop the embedded server unless another process uses it.

    What was never opened is left alone: opening it would start the server again.
    """
    if get_engine.cache_info().currsize:
        get_engine().dispose()
    if _embedded_server.cache_info().currsize:
        _embedded_server().release()
    for cached in (
        get_engine,
        get_read_only_engine,
        get_maintenance_engine,
        owner_url,
        _embedded_address,
    ):
        cached.cache_clear()
