"""Two ways in: requests log in as the application role, migrations as the owner."""

import os

from sqlalchemy import URL, Engine, NullPool, create_engine, make_url
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from hedgerow import AsyncSingleStatementCursor, read_only

from .security import passwords, row_security


def owner_url() -> URL:
    return make_url(os.environ["LIBRARY_DATABASE_URL"])


def application_url() -> URL:
    return owner_url().set(username=row_security.roles.app, password=passwords.app)


def owner_engine() -> Engine:
    return create_engine(owner_url(), poolclass=NullPool)


engine = create_async_engine(
    application_url(),
    pool_size=int(os.environ.get("LIBRARY_POOL_SIZE", "5")),
    max_overflow=0,
    connect_args={"cursor_factory": AsyncSingleStatementCursor},
)
reading = read_only(engine)
new_session = async_sessionmaker(engine, expire_on_commit=False, close_resets_only=False)
