"""Sign-in, and password recovery."""

from typing import Annotated

import jwt
from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException
from fastapi.security import OAuth2PasswordRequestForm

import hedgerow
from app import crud, emails
from app.api.attempts import AttemptsDep
from app.api.deps import AsyncSessionDep, CurrentUser
from app.api.errors import SIGNED_IN, TAKES_PASSWORD, refusals
from app.core import security
from app.core.rls import row_security
from app.core.text import Email
from app.models import Message, NewPassword, Token, User, UserPublic
from hedgerow import Identity

router = APIRouter(tags=["login"])


@router.post("/login/access-token", responses=refusals(400) | TAKES_PASSWORD)
async def login_access_token(
    session: AsyncSessionDep,
    attempts: AttemptsDep,
    form_data: Annotated[OAuth2PasswordRequestForm, Depends()],
) -> Token:
    """Sign in with e-mail address and password, for a token to send with further requests."""
    email, password = form_data.username, form_data.password
    async with attempts.password_of(email):
        user = await session.run_sync(
            lambda _: crud.authenticate(
                session=session.sync_session, email=email, password=password
            )
        )
        if user is None:
            raise HTTPException(status_code=400, detail="Incorrect email or password")
    if not user.is_active:
        raise HTTPException(status_code=400, detail="Inactive user")
    return Token(access_token=security.create_access_token(user.id, user.hashed_password))


@router.post("/login/test-token", response_model=UserPublic, responses=SIGNED_IN)
def test_token(current_user: CurrentUser) -> User:
    """Return the user of an access token."""
    return current_user


@router.post("/password-recovery/{email}", responses=refusals(429))
async def recover_password(
    email: Email, session: AsyncSessionDep, attempts: AttemptsDep, background_tasks: BackgroundTasks
) -> Message:
    """Send an e-mail with a link that sets a new password."""
    await attempts.recovery(email)
    user = await session.run_sync(
        lambda _: crud.get_user_by_email(session=session.sync_session, email=email)
    )
    if user is not None and user.is_active:
        # After the response, whose time must not tell whether the address has an account; and
        # without the connection, which would wait for the mail server too.
        await session.close()
        background_tasks.add_task(emails.deliver_password_recovery, user)
    return Message(message="If that email is registered, we sent a password recovery link to it")


@router.post("/reset-password/", responses=refusals(400) | TAKES_PASSWORD)
async def reset_password(
    session: AsyncSessionDep, attempts: AttemptsDep, body: NewPassword
) -> Message:
    """Set a new password with the token of a recovery e-mail."""
    invalid_token = HTTPException(status_code=400, detail="Invalid token")
    async with attempts.link():
        try:
            token = security.decode_password_reset_token(body.token)
        except jwt.InvalidTokenError:
            raise invalid_token from None
        await hedgerow.bind_async(session, Identity(token.user_id), row_security)
        user = await session.get(User, token.user_id, options=[crud.WITH_PASSWORD_HASH])
        if user is None or not token.matches(user.hashed_password, user.email):
            raise invalid_token
        if not user.is_active:
            raise HTTPException(status_code=400, detail="Inactive user")
        try:
            await session.run_sync(
                lambda _: crud.set_password(
                    session=session.sync_session, db_user=user, password=body.new_password
                )
            )
        except crud.PasswordChangedError:
            raise invalid_token from None
    await attempts.recognize(user.email)
    return Message(message="Password updated successfully")
