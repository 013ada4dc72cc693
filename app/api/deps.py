"""What routes ask for: a session, the current user, and a session that is that user's.

One request has one session and so one connection. Signing in binds the token's user to it before
its first statement, so that the identity travels with the first BEGIN.

An asynchronous route asks for the names that begin with Async; a route that mixed both kinds would
hold two connections.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated
from uuid import UUID

import jwt
from fastapi import Depends, HTTPException, status
from fastapi.security import OAuth2PasswordBearer
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

import hedgerow
from app.core import security
from app.core.config import settings
from app.core.db import new_async_session, new_session
from app.core.rls import row_security
from app.models import User
from hedgerow import Identity, Role

reusable_oauth2 = OAuth2PasswordBearer(tokenUrl=f"{settings.API_V1_STR}/login/access-token")

TokenDep = Annotated[str, Depends(reusable_oauth2)]


def get_db() -> Iterator[Session]:
    """Yield the request's session; scoped tables answer it only once a user is bound."""
    with new_session() as session:
        yield session


async def get_async_db() -> AsyncIterator[AsyncSession]:
    """Yield the request's asynchronous session."""
    async with new_async_session() as session:
        yield session


# The function's scope ends the session, and gives the connection back, before the response is sent:
# otherwise a slow client, a stream or a background task would hold both (P22). A generator
# dependency of your own that asks for a session needs the same scope.
SessionDep = Annotated[Session, Depends(get_db, scope="function")]
AsyncSessionDep = Annotated[AsyncSession, Depends(get_async_db, scope="function")]


def get_token_user_id(token: TokenDep) -> UUID:
    """Return whom the token speaks for, or answer 403."""
    try:
        return security.decode_access_token(token)
    except jwt.InvalidTokenError:
        raise HTTPException(
            status.HTTP_403_FORBIDDEN, detail="Could not validate credentials"
        ) from None


TokenUserId = Annotated[UUID, Depends(get_token_user_id)]


def get_current_user(session: SessionDep, user_id: TokenUserId) -> User:
    """Return the user that the token speaks for, and make the session theirs."""
    hedgerow.bind(session, Identity(user_id), row_security)
    return _require_active(session.get(User, user_id))


async def get_async_current_user(session: AsyncSessionDep, user_id: TokenUserId) -> User:
    """Do the same for an asynchronous route."""
    await hedgerow.bind_async(session, Identity(user_id), row_security)
    return _require_active(await session.get(User, user_id))


def _require_active(user: User | None) -> User:
    if user is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, detail="User not found")
    if not user.is_active:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, detail="Inactive user")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
AsyncCurrentUser = Annotated[User, Depends(get_async_current_user)]


def get_current_active_superuser(current_user: CurrentUser) -> User:
    """Return the current user if a superuser, else answer 403."""
    return _require_superuser(current_user)


async def get_async_current_superuser(current_user: AsyncCurrentUser) -> User:
    """Do the same for an asynchronous route."""
    return _require_superuser(current_user)


def _require_superuser(user: User) -> User:
    if not user.is_superuser:
        raise HTTPException(
            status.HTTP_403_FORBIDDEN, detail="The user doesn't have enough privileges"
        )
    return user


CurrentSuperuser = Annotated[User, Depends(get_current_active_superuser)]
AsyncCurrentSuperuser = Annotated[User, Depends(get_async_current_superuser)]


def get_rls_session(session: SessionDep, current_user: CurrentUser) -> Session:
    """Return the session as the current user sees the database; a superuser is an admin there.

    Whether someone is a superuser was read in this request, so it ends with the next one.
    """
    if current_user.is_superuser:
        hedgerow.bind(session, Identity(current_user.id, Role.ADMIN), row_security)
    return session


def get_admin_session(session: SessionDep, superuser: CurrentSuperuser) -> Session:
    """Return the session as an admin, who sees and changes everybody's rows; others get 403."""
    hedgerow.bind(session, Identity(superuser.id, Role.ADMIN), row_security)
    return session


def get_read_only_admin_session(session: SessionDep, superuser: CurrentSuperuser) -> Session:
    """Return the session as an admin whose writes PostgreSQL refuses; others get 403."""
    hedgerow.bind(session, Identity(superuser.id, Role.READ_ONLY_ADMIN), row_security)
    return session


async def get_async_rls_session(
    session: AsyncSessionDep, current_user: AsyncCurrentUser
) -> AsyncSession:
    """Do what `get_rls_session` does, for an asynchronous route."""
    if current_user.is_superuser:
        await hedgerow.bind_async(session, Identity(current_user.id, Role.ADMIN), row_security)
    return session


async def get_async_admin_session(
    session: AsyncSessionDep, superuser: AsyncCurrentSuperuser
) -> AsyncSession:
    """Do what `get_admin_session` does, for an asynchronous route."""
    await hedgerow.bind_async(session, Identity(superuser.id, Role.ADMIN), row_security)
    return session


async def get_async_read_only_admin_session(
    session: AsyncSessionDep, superuser: AsyncCurrentSuperuser
) -> AsyncSession:
    """Do what `get_read_only_admin_session` does, for an asynchronous route."""
    await hedgerow.bind_async(session, Identity(superuser.id, Role.READ_ONLY_ADMIN), row_security)
    return session


RLSSessionDep = Annotated[Session, Depends(get_rls_session)]
AdminSessionDep = Annotated[Session, Depends(get_admin_session)]
ReadOnlyAdminSessionDep = Annotated[Session, Depends(get_read_only_admin_session)]

AsyncRLSSessionDep = Annotated[AsyncSession, Depends(get_async_rls_session)]
AsyncAdminSessionDep = Annotated[AsyncSession, Depends(get_async_admin_session)]
AsyncReadOnlyAdminSessionDep = Annotated[AsyncSession, Depends(get_async_read_only_admin_session)]
