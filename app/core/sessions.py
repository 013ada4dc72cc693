"""Sessions outside of a request's own: for jobs, scripts, background tasks, streams and WebSockets.

A response that goes on after its request, or a task that runs later, opens one of these for the
same user: the request's session may be closed by then.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

import hedgerow
from app.core.db import new_async_session, new_session
from app.core.rls import row_security
from hedgerow import Identity, Role


@contextmanager
def user_session(user_id: UUID) -> Iterator[Session]:
    """Yield a session that sees and changes this user's rows only."""
    with _session_as(Identity(user_id)) as session:
        yield session


@contextmanager
def admin_session(user_id: UUID, *, reason: str, read_only: bool = False) -> Iterator[Session]:
    """Yield a session in which this user acts as an admin, and say why.

    The trap: it does not ask whether the user may. Check that before.
    """
    with _session_as(_admin(user_id, reason, read_only)) as session:
        yield session


@asynccontextmanager
async def async_user_session(user_id: UUID) -> AsyncIterator[AsyncSession]:
    """Yield the asynchronous twin of `user_session`."""
    async with _async_session_as(Identity(user_id)) as session:
        yield session


@asynccontextmanager
async def async_admin_session(
    user_id: UUID, *, reason: str, read_only: bool = False
) -> AsyncIterator[AsyncSession]:
    """Yield the asynchronous twin of `admin_session`."""
    async with _async_session_as(_admin(user_id, reason, read_only)) as session:
        yield session


def _admin(user_id: UUID, reason: str, read_only: bool) -> Identity:
    return Identity(user_id, Role.READ_ONLY_ADMIN if read_only else Role.ADMIN, reason)


@contextmanager
def _session_as(identity: Identity) -> Iterator[Session]:
    with new_session() as session:
        hedgerow.bind(session, identity, row_security)
        yield session


@asynccontextmanager
async def _async_session_as(identity: Identity) -> AsyncIterator[AsyncSession]:
    async with new_async_session() as session:
        await hedgerow.bind_async(session, identity, row_security)
        yield session
