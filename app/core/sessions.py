"""Sessions beside the request's own: for jobs, scripts, background tasks, streams and WebSockets.

A response that goes on after its request, or a task that runs later, opens one of these for the
same user: the request's session may be closed by then.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from uuid import UUID

from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

import hedgerow
from app.core.db import get_maintenance_engine, new_async_session, new_session
from app.core.rls import row_security
from hedgerow import Identity, Role


@contextmanager
def user_session(user_id: UUID) -> Iterator[Session]:
    """Yield a session that sees and changes this user's rows only."""
    with _session_as(Identity(user_id)) as session:
        yield session


@contextmanager
def admin_session(user_id: UUID, *, reason: str, read_only: bool = True) -> Iterator[Session]:
    """Yield a session in which this user acts as an admin, read-only by default.

    Each transaction is recorded in the audit trail, with the reason, before its first statement.
    The trap: it does not check whether the user is an admin. Check that before.
    """
    with _session_as(_admin(user_id, reason, read_only)) as session:
        yield session


@contextmanager
def view_as_session(user_id: UUID, *, admin_id: UUID, reason: str) -> Iterator[Session]:
    """Yield a READ ONLY session that sees what the user sees; the audit trail names both."""
    admin = _admin(admin_id, reason, read_only=True)
    with _session_as(Identity(user_id, viewed_by=admin)) as session:
        yield session


@contextmanager
def maintenance_session(user_id: UUID, *, reason: str) -> Iterator[Session]:
    """Yield a session on the maintenance role's login, in which this user acts as an admin.

    For operations that bypass the policies: COPY, reports, repairs. Recorded as `admin_session`
    is, and so is every change. The trap is the same, too.
    """
    with Session(get_maintenance_engine(), expire_on_commit=False) as session:
        hedgerow.bind(session, Identity(user_id, Role.MAINTENANCE, reason), row_security)
        yield session


@contextmanager
def service_session(name: str, *, reason: str) -> Iterator[Session]:
    """Yield a session of a job that is no person: declarations that name it say what it reaches.

    Each transaction is recorded in the audit trail, with the reason, before its first statement.
    """
    with _session_as(Identity.service(name, reason=reason)) as session:
        yield session


@asynccontextmanager
async def async_user_session(user_id: UUID) -> AsyncIterator[AsyncSession]:
    """Do what `user_session` does, asynchronously."""
    async with _async_session_as(Identity(user_id)) as session:
        yield session


@asynccontextmanager
async def async_admin_session(
    user_id: UUID, *, reason: str, read_only: bool = True
) -> AsyncIterator[AsyncSession]:
    """Do what `admin_session` does, asynchronously."""
    async with _async_session_as(_admin(user_id, reason, read_only)) as session:
        yield session


@asynccontextmanager
async def async_service_session(name: str, *, reason: str) -> AsyncIterator[AsyncSession]:
    """Do what `service_session` does, asynchronously."""
    async with _async_session_as(Identity.service(name, reason=reason)) as session:
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
