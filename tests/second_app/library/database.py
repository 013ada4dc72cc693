"""Two ways in: requests log in as the application role, migrations as the owner."""

import os

from sqlalchemy import URL, Engine, NullPool, create_engine, make_url
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine

from hedgerow import guard, read_only

from .security import passwords, row_security


def owner_url() -> URL:
    return make_url(os.environ["LIBRARY_DATABASE_URL"])


def application_url() -> URL:
    return owner_url().set(username=row_security.roles.app, password=passwords.app)


def owner_engine() -> Engine:
    return create_engine(owner_url(), poolclass=NullPool)


engine = guard(
    create_async_engine(
        application_url(),
        pool_size=int(os.environ.get("LIBRARY_POOL_SIZE", "5")),
        max_overflow=0,
    ),
    row_security,
)
reading = read_only(engine)
new_session = async_sessionmaker(engine, expire_on_commit=False, close_resets_only=False)
