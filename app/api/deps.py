"""What routes ask for: a session, the current user, and a session that is that user's.

One request has one session and so one connection. Signing in binds the token's user to it before
its first statement, so that the identity travels with the first BEGIN.
"""

from collections.abc import Iterator
from typing import Annotated

import jwt
from fastapi import Depends, HTTPException, status
from fastapi.security import OAuth2PasswordBearer
from sqlmodel import Session

import hedgerow
from app.core import security
from app.core.config import settings
from app.core.db import new_session
from app.core.rls import row_security
from app.models import User
from hedgerow import Identity, Role

reusable_oauth2 = OAuth2PasswordBearer(tokenUrl=f"{settings.API_V1_STR}/login/access-token")

TokenDep = Annotated[str, Depends(reusable_oauth2)]


def get_db() -> Iterator[Session]:
    """Yield the request's session; scoped tables answer it only once a user is bound."""
    with new_session() as session:
        yield session


SessionDep = Annotated[Session, Depends(get_db)]


def get_current_user(session: SessionDep, token: TokenDep) -> User:
    """Return the user that the token speaks for, and make the session theirs."""
    try:
        user_id = security.decode_access_token(token)
    except jwt.InvalidTokenError:
        raise HTTPException(
            status.HTTP_403_FORBIDDEN, detail="Could not validate credentials"
        ) from None
    hedgerow.bind(session, Identity(user_id), row_security)
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(status.HTTP_404_NOT_FOUND, detail="User not found")
    if not user.is_active:
        raise HTTPException(status.HTTP_400_BAD_REQUEST, detail="Inactive user")
    return user


CurrentUser = Annotated[User, Depends(get_current_user)]


def get_current_active_superuser(current_user: CurrentUser) -> User:
    """Return the current user if a superuser, else answer 403."""
    if not current_user.is_superuser:
        raise HTTPException(
            status.HTTP_403_FORBIDDEN, detail="The user doesn't have enough privileges"
        )
    return current_user


CurrentSuperuser = Annotated[User, Depends(get_current_active_superuser)]


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


RLSSessionDep = Annotated[Session, Depends(get_rls_session)]
AdminSessionDep = Annotated[Session, Depends(get_admin_session)]
ReadOnlyAdminSessionDep = Annotated[Session, Depends(get_read_only_admin_session)]
