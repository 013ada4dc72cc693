"""Accounts: your own, and all accounts for superusers."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, HTTPException
from sqlmodel.ext.asyncio.session import AsyncSession

from app import crud, emails
from app.api.attempts import Attempts, AttemptsDep
from app.api.deps import (
    AdminSessionDep,
    AsyncAdminSessionDep,
    AsyncCurrentUser,
    AsyncSessionDep,
    CurrentUser,
    ReadOnlyAdminSessionDep,
    RLSSessionDep,
    SessionDep,
)
from app.api.errors import SIGNED_IN, TAKES_PASSWORD, refusals
from app.api.paging import Limit, Skip
from app.core.config import settings
from app.core.security import create_access_token, verify_password
from app.models import (
    Message,
    PasswordUpdated,
    UpdatePassword,
    User,
    UserCreate,
    UserPublic,
    UserRegister,
    UsersPublic,
    UserUpdate,
    UserUpdateMe,
)

router = APIRouter(prefix="/users", tags=["users"])


@contextmanager
def refuse_taken_email(status_code: int, detail: str) -> Iterator[None]:
    """Answer with this status and sentence where another account has the address."""
    try:
        yield
    except crud.EmailTakenError:
        raise HTTPException(status_code=status_code, detail=detail) from None


@router.get("/", responses=SIGNED_IN)
def read_users(session: ReadOnlyAdminSessionDep, skip: Skip = 0, limit: Limit = 100) -> UsersPublic:
    """List all users, newest first; `count` is the total number."""
    users = crud.get_users(session=session, skip=skip, limit=limit)
    count = crud.count_users(session=session)
    return UsersPublic(data=[UserPublic.model_validate(user) for user in users], count=count)


@router.post("/", response_model=UserPublic, responses=SIGNED_IN | refusals(503))
async def create_user(
    session: AsyncAdminSessionDep, user_in: UserCreate, background_tasks: BackgroundTasks
) -> User:
    """Create a user, who gets an e-mail where e-mails are configured."""
    with refuse_taken_email(400, "The user with this email already exists in the system."):
        user = await session.run_sync(
            lambda _: crud.create_user(session=session.sync_session, user_create=user_in)
        )
    if settings.emails_enabled:
        background_tasks.add_task(emails.deliver_new_account, user)
    return user


@router.patch("/me", response_model=UserPublic, responses=SIGNED_IN | TAKES_PASSWORD)
async def update_user_me(
    session: AsyncSessionDep,
    attempts: AttemptsDep,
    user_in: UserUpdateMe,
    current_user: AsyncCurrentUser,
) -> User:
    """Change your own name or, with the current password, your e-mail address."""
    if user_in.email not in (None, current_user.email):
        if user_in.current_password is None:
            raise HTTPException(
                status_code=400,
                detail="To change the e-mail address, give the current password too",
            )
        await require_password(session, attempts, current_user, user_in.current_password)
    with refuse_taken_email(409, "User with this email already exists"):
        return await session.run_sync(
            lambda _: crud.update_user(
                session=session.sync_session, db_user=current_user, user_in=user_in
            )
        )


@router.patch("/me/password", responses=SIGNED_IN | TAKES_PASSWORD)
async def update_password_me(
    session: AsyncSessionDep,
    attempts: AttemptsDep,
    body: UpdatePassword,
    current_user: AsyncCurrentUser,
) -> PasswordUpdated:
    """Change your own password, and get a new token: those of before are refused from now on."""
    await require_password(session, attempts, current_user, body.current_password)
    if body.current_password == body.new_password:
        raise HTTPException(
            status_code=400, detail="New password cannot be the same as the current one"
        )
    try:
        await session.run_sync(
            lambda _: crud.set_password(
                session=session.sync_session, db_user=current_user, password=body.new_password
            )
        )
    except crud.PasswordChangedError:
        raise HTTPException(status_code=400, detail="Incorrect password") from None
    return PasswordUpdated(
        message="Password updated successfully",
        access_token=create_access_token(current_user.id, current_user.hashed_password),
    )


async def require_password(
    session: AsyncSession, attempts: Attempts, user: User, password: str
) -> None:
    """Answer 400 where this is not the user's password: who stole a token does not have it."""
    await session.commit()  # no connection should wait for the hash
    async with attempts.password_of(user.email):
        is_right, _ = await session.run_sync(
            lambda _: verify_password(password, user.hashed_password)
        )
        if not is_right:
            raise HTTPException(status_code=400, detail="Incorrect password")


@router.get("/me", response_model=UserPublic, responses=SIGNED_IN)
def read_user_me(current_user: CurrentUser) -> User:
    """Read your own account."""
    return current_user


@router.delete("/me", responses=SIGNED_IN)
def delete_user_me(session: SessionDep, current_user: CurrentUser) -> Message:
    """Delete your own account and its rows."""
    if current_user.is_superuser:
        raise HTTPException(
            status_code=403, detail="Super users are not allowed to delete themselves"
        )
    crud.delete_user(session=session, user_id=current_user.id)
    return Message(message="User deleted successfully")


@router.post("/signup", response_model=UserPublic, responses=refusals(400) | TAKES_PASSWORD)
async def register_user(
    session: AsyncSessionDep, attempts: AttemptsDep, user_in: UserRegister
) -> User:
    """Sign up: create an account without being signed in."""
    await attempts.sign_up(user_in.email)
    with refuse_taken_email(400, "The user with this email already exists in the system"):
        return await session.run_sync(
            lambda _: crud.register_user(session=session.sync_session, user_create=user_in)
        )


@router.get("/{user_id}", response_model=UserPublic, responses=SIGNED_IN)
def read_user_by_id(user_id: UUID, session: RLSSessionDep, current_user: CurrentUser) -> User:
    """Read an account: your own, or any account for superusers."""
    if user_id == current_user.id:
        return current_user
    if not current_user.is_superuser:
        raise HTTPException(status_code=403, detail="The user doesn't have enough privileges")
    user = session.get(User, user_id)
    if user is None:
        raise crud.UserNotFoundError
    return user


@router.patch("/{user_id}", response_model=UserPublic, responses=SIGNED_IN | refusals(503))
async def update_user(
    session: AsyncAdminSessionDep,
    current_user: AsyncCurrentUser,
    user_id: UUID,
    user_in: UserUpdate,
) -> User:
    """Change the given fields of any account; your own stays an active superuser's.

    Your own address and password change under `/users/me`, which asks for the current password.
    """
    if user_id == current_user.id and False in (user_in.is_superuser, user_in.is_active):
        raise HTTPException(
            status_code=403,
            detail="Super users are not allowed to demote or deactivate themselves",
        )
    if user_id == current_user.id and (
        user_in.password is not None or user_in.email not in (None, current_user.email)
    ):
        raise HTTPException(
            status_code=403,
            detail="Your own e-mail address and password are changed under /users/me",
        )
    user = await session.get(User, user_id)
    if user is None:
        raise HTTPException(
            status_code=404, detail="The user with this id does not exist in the system"
        )
    with refuse_taken_email(409, "User with this email already exists"):
        return await session.run_sync(
            lambda _: crud.update_user(session=session.sync_session, db_user=user, user_in=user_in)
        )


@router.delete("/{user_id}", responses=SIGNED_IN)
def delete_user(session: AdminSessionDep, current_user: CurrentUser, user_id: UUID) -> Message:
    """Delete any account but your own."""
    if user_id == current_user.id:
        raise HTTPException(
            status_code=403, detail="Super users are not allowed to delete themselves"
        )
    crud.delete_user(session=session, user_id=user_id)
    return Message(message="User deleted successfully")
