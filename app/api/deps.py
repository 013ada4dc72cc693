"""Dependencies of routes: the request's session, the current user, and that user's session.

One request has one session and so one connection. Signing in binds the token's user to it before
its first statement, so that the identity travels with the first BEGIN.

In a GET, HEAD or OPTIONS request its transactions are READ ONLY, unless the route has MayWrite.

An asynchronous route asks for the names that begin with Async; a route that mixed both kinds would
hold two connections.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Annotated
from uuid import UUID

import jwt
from anyio.lowlevel import RunVar
from fastapi import Depends, Header, HTTPException, status
from fastapi.requests import HTTPConnection
from fastapi.security import OAuth2PasswordBearer
from sqlalchemy import orm
from sqlmodel import Session
from sqlmodel.ext.asyncio.session import AsyncSession

import hedgerow
from app import crud
from app.api.asynchronous import asynchronous
from app.api.safe_methods import MayWrite as MayWrite
from app.api.safe_methods import ReadOnly
from app.core import security
from app.core.config import settings
from app.core.db import POOL, new_async_session, new_session
from app.core.rls import row_security
from app.core.security import AccessToken
from app.crud import ALL_OWNERS, AllOwners
from app.models import User
from hedgerow import Identity, IdentityError, Origin, Role

reusable_oauth2 = OAuth2PasswordBearer(tokenUrl=f"{settings.API_V1_STR}/login/access-token")

TokenDep = Annotated[str, Depends(reusable_oauth2)]


_places: RunVar[asyncio.Semaphore] = RunVar("connections of the pool")


async def hold_place() -> AsyncIterator[None]:
    """Wait, without a thread, until the pool can have a connection for this request.

    A synchronous request runs in several steps, each in a thread of FastAPI's pool. With more
    requests than connections, those that wait for a connection could occupy every thread, and those
    that have one could not continue.
    """
    if (places := _places.get(None)) is None:
        places = asyncio.Semaphore(POOL["pool_size"] + POOL["max_overflow"])
        _places.set(places)
    async with places:
        yield


PlaceDep = Annotated[None, Depends(hold_place, scope="function")]


def get_db(place: PlaceDep, read_only: ReadOnly) -> Iterator[Session]:
    """Yield the request's session; queries on scoped tables need a bound user."""
    with new_session(read_only=read_only) as session:
        yield session


async def get_async_db(read_only: ReadOnly) -> AsyncIterator[AsyncSession]:
    """Yield the request's asynchronous session."""
    async with new_async_session(read_only=read_only) as session:
        yield session


# The function's scope ends the session, and gives the connection back, before the response is sent:
# otherwise a slow client, a stream or a background task would hold both (P22). A generator
# dependency of your own that asks for a session needs the same scope.
SessionDep = Annotated[Session, Depends(get_db, scope="function")]
AsyncSessionDep = Annotated[AsyncSession, Depends(get_async_db, scope="function")]


def get_access_token(token: TokenDep) -> AccessToken:
    """Return what the request's token says, or answer 403."""
    try:
        return security.decode_access_token(token)
    except jwt.InvalidTokenError:
        raise _invalid_token() from None


def _invalid_token() -> HTTPException:
    return HTTPException(status.HTTP_403_FORBIDDEN, detail="Could not validate credentials")


CurrentToken = Annotated[AccessToken, Depends(get_access_token)]

AdminReason = Annotated[
    str | None,
    Header(
        alias="X-Admin-Reason",
        max_length=1000,
        description="The admin's reason, kept in the audit trail.",
    ),
]


def get_identity(
    token: CurrentToken, connection: HTTPConnection, reason: AdminReason = None
) -> Identity:
    """Return the user, the reason and the request; an elevation records all of them."""
    origin = Origin(
        method=connection.scope.get("method", "WEBSOCKET"),
        path=connection.scope["path"],
        request_id=connection.headers.get("X-Request-ID"),
    )
    # The team of app.teams.deps, where a route asks for the session of one before the user.
    tenant_id = getattr(connection.state, "session_team_id", None)
    return Identity(token.user_id, reason=_as_written(reason), origin=origin, tenant_id=tenant_id)


def _as_written(header: str | None) -> str | None:
    """Return a header that may have been sent as UTF-8; HTTP reads headers as Latin-1."""
    if header is None:
        return None
    with suppress(UnicodeError):
        header = header.encode("latin-1").decode()
    return header.strip() or None


RequestIdentity = Annotated[Identity, Depends(get_identity)]


def get_current_user(session: SessionDep, identity: RequestIdentity, token: CurrentToken) -> User:
    """Return the token's user, and bind the session to that user.

    A token of an earlier password is refused here: every dependency below asks for the user.
    """
    hedgerow.bind(session, identity, row_security)
    user = session.get(User, identity.user_id, options=[crud.WITH_PASSWORD_HASH])
    if user is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, detail="User not found")
    if not token.matches(user.hashed_password):
        raise _invalid_token()
    if not user.is_active:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, detail="Inactive user")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]
AsyncCurrentUser = Annotated[User, Depends(asynchronous(get_current_user, session=AsyncSessionDep))]


def get_current_active_superuser(current_user: CurrentUser) -> User:
    """Return the current user if a superuser, else answer 403."""
    if not current_user.is_superuser:
        raise HTTPException(
            status.HTTP_403_FORBIDDEN, detail="The user doesn't have enough privileges"
        )
    return current_user


CurrentSuperuser = Annotated[User, Depends(get_current_active_superuser)]
AsyncCurrentSuperuser = Annotated[
    User, Depends(asynchronous(get_current_active_superuser, current_user=AsyncCurrentUser))
]


def _elevated(identity: Identity, role: Role) -> Identity:
    """Return the identity in an admin's role; answer 400 where a required reason is missing."""
    if settings.RLS_ADMIN_REASON_REQUIRED and identity.reason is None:
        raise HTTPException(
            status.HTTP_400_BAD_REQUEST, detail="Say why you ask, in the header X-Admin-Reason"
        )
    return replace(identity, role=role)


def _elevate(session: orm.Session, elevated: Identity) -> None:
    """Give the session an admin's identity, from its next transaction on.

    The transaction that loaded the user ends here. The elevation is recorded on a second
    connection: behind a pooler, admins who kept the first one meanwhile could deadlock.

    Raises IdentityError where the session is one team's: a request has one session, and what the
    route does in the team would reach every other.
    """
    bound = hedgerow.identity_of(session)
    if bound is not None and bound.tenant_id is not None:
        raise IdentityError(
            "This session is narrowed to one team, and an admin's is to none: a route asks for one"
            " kind of session, so give the admin's a route of its own."
        )
    if row_security.audited:
        session.commit()
    hedgerow.bind(session, elevated, row_security)


def get_rls_session(
    session: SessionDep, current_user: CurrentUser, identity: RequestIdentity, read_only: ReadOnly
) -> Session:
    """Return the session bound to the current user; for a superuser it is an admin's.

    Whether someone is a superuser is decided here and nowhere after: `owner_in_reach` asks the
    session. It was read in this request, so it ends with the next one. Where the request is READ
    ONLY, so is the admin.
    """
    if current_user.is_superuser:
        role = Role.READ_ONLY_ADMIN if read_only else Role.ADMIN
        _elevate(session, _elevated(identity, role))
    return session


def get_anonymous_session(session: SessionDep) -> Session:
    """Return the session of nobody: it reads what is declared `public`, whoever asks."""
    hedgerow.bind(session, Identity.anonymous(), row_security)
    return session


def get_admin_session(
    session: SessionDep, superuser: CurrentSuperuser, identity: RequestIdentity
) -> Session:
    """Return an admin's session, which reads and changes all users' rows; others get 403.

    In a GET it only reads them, as every session does there, unless the route has MayWrite.
    """
    _elevate(session, _elevated(identity, Role.ADMIN))
    return session


def get_read_only_admin_session(
    session: SessionDep, superuser: CurrentSuperuser, identity: RequestIdentity
) -> Session:
    """Return a read-only admin's session: PostgreSQL refuses writes; others get 403."""
    _elevate(session, _elevated(identity, Role.READ_ONLY_ADMIN))
    return session


def get_view_as_session(
    user_id: UUID, session: SessionDep, superuser: CurrentSuperuser, identity: RequestIdentity
) -> Iterator[Session]:
    """Yield a READ ONLY session that sees what the user of the path's `user_id` sees.

    Impersonation: that user's own policies decide, also on whether there is such a user: if not,
    the answer is 404. The audit trail names the admin and the user.
    """
    session.commit()  # one connection at a time: the view is another session
    admin = _elevated(identity, Role.READ_ONLY_ADMIN)
    with new_session(read_only=True) as view:
        hedgerow.bind(view, Identity(user_id, viewed_by=admin), row_security)
        if view.get(User, user_id) is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, detail="User not found")
        yield view


RLSSessionDep = Annotated[Session, Depends(get_rls_session)]
AnonymousSessionDep = Annotated[Session, Depends(get_anonymous_session)]
AdminSessionDep = Annotated[Session, Depends(get_admin_session)]
ReadOnlyAdminSessionDep = Annotated[Session, Depends(get_read_only_admin_session)]
ViewAsSessionDep = Annotated[Session, Depends(get_view_as_session, scope="function")]

AsyncRLSSessionDep = Annotated[
    AsyncSession,
    Depends(asynchronous(get_rls_session, session=AsyncSessionDep, current_user=AsyncCurrentUser)),
]
AsyncAnonymousSessionDep = Annotated[
    AsyncSession, Depends(asynchronous(get_anonymous_session, session=AsyncSessionDep))
]
AsyncAdminSessionDep = Annotated[
    AsyncSession,
    Depends(
        asynchronous(get_admin_session, session=AsyncSessionDep, superuser=AsyncCurrentSuperuser)
    ),
]
AsyncReadOnlyAdminSessionDep = Annotated[
    AsyncSession,
    Depends(
        asynchronous(
            get_read_only_admin_session, session=AsyncSessionDep, superuser=AsyncCurrentSuperuser
        )
    ),
]


def owner_in_reach(session: orm.Session) -> UUID | AllOwners:
    """Return whose rows the session of RLSSessionDep reaches: the user's, or everybody's.

    For routes that check ownership as well, so that they answer alike where row security is off.
    """
    match hedgerow.identity_of(session):
        case Identity(role=Role.ADMIN | Role.READ_ONLY_ADMIN):
            return ALL_OWNERS
        case Identity(user_id=UUID() as user_id):
            return user_id
        case _:
            raise IdentityError("The session is bound to no user: ask for RLSSessionDep.")
