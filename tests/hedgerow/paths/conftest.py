"""The application role's asynchronous engine."""

from collections.abc import AsyncIterator, Iterator

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.hedgerow.paths.support import async_pool_of_one
from tests.support.databases import Database
from tests.support.proxy import Proxy


@pytest.fixture
def anyio_backend() -> str:
    """Return the backend that SQLAlchemy works with: it knows no trio."""
    return "asyncio"


@pytest.fixture
async def async_pool(database: Database) -> AsyncIterator[AsyncEngine]:
    """Yield the application role's asynchronous engine, whose pool is one connection."""
    async with async_pool_of_one(database.app_url) as engine:
        yield engine


@pytest.fixture
def proxy(database: Database) -> Iterator[Proxy]:
    """Yield a proxy in front of the server."""
    with Proxy(database.owner_url) as proxy:
        yield proxy
