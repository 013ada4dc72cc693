"""Accounts: your own, and all accounts for superusers."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from fastapi import APIRouter, BackgroundTasks, HTTPException

from app import crud, emails
from app.api.deps import (
    AdminSessionDep,
    CurrentUser,
    ReadOnlyAdminSessionDep,
    RLSSessionDep,
    SessionDep,
)
from app.api.errors import SIGNED_IN, refusals
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


@router.post("/", response_model=UserPublic, responses=SIGNED_IN)
def create_user(
    session: AdminSessionDep, user_in: UserCreate, background_tasks: BackgroundTasks
) -> User:
    """Create a user, who gets an e-mail where e-mails are configured."""
    with refuse_taken_email(400, "The user with this email already exists in the system."):
        user = crud.create_user(session=session, user_create=user_in)
    if settings.emails_enabled:
        background_tasks.add_task(emails.deliver_new_account, user)
    return user


@router.patch("/me", response_model=UserPublic, responses=SIGNED_IN)
def update_user_me(session: SessionDep, user_in: UserUpdateMe, current_user: CurrentUser) -> User:
    """Change your own name or, with the current password, your e-mail address."""
    if user_in.email not in (None, current_user.email):
        if user_in.current_password is None:
            raise HTTPException(
                status_code=400,
                detail="To change the e-mail address, give the current password too",
            )
        _require_password(user_in.current_password, current_user)
    with refuse_taken_email(409, "User with this email already exists"):
        return crud.update_user(session=session, db_user=current_user, user_in=user_in)


@router.patch("/me/password", responses=SIGNED_IN)
def update_password_me(
    session: SessionDep, body: UpdatePassword, current_user: CurrentUser
) -> PasswordUpdated:
    """Change your own password, and get a new token: those of before are refused from now on."""
    _require_password(body.current_password, current_user)
    if body.current_password == body.new_password:
        raise HTTPException(
            status_code=400, detail="New password cannot be the same as the current one"
        )
    crud.set_password(session=session, db_user=current_user, password=body.new_password)
    return PasswordUpdated(
        message="Password updated successfully",
        access_token=create_access_token(current_user.id, current_user.hashed_password),
    )


def _require_password(password: str, user: User) -> None:
    """Answer 400 where this is not the user's password."""
    is_right, _ = verify_password(password, user.hashed_password)
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


@router.post("/signup", response_model=UserPublic, responses=refusals(400))
def register_user(session: SessionDep, user_in: UserRegister) -> User:
    """Sign up: create an account without being signed in."""
    with refuse_taken_email(400, "The user with this email already exists in the system"):
        return crud.register_user(session=session, user_create=user_in)


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


@router.patch("/{user_id}", response_model=UserPublic, responses=SIGNED_IN)
def update_user(session: AdminSessionDep, user_id: UUID, user_in: UserUpdate) -> User:
    """Change the given fields of any account."""
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(
            status_code=404, detail="The user with this id does not exist in the system"
        )
    with refuse_taken_email(409, "User with this email already exists"):
        return crud.update_user(session=session, db_user=user, user_in=user_in)


@router.delete("/{user_id}", responses=SIGNED_IN)
def delete_user(session: AdminSessionDep, current_user: CurrentUser, user_id: UUID) -> Message:
    """Delete any account but your own."""
    if user_id == current_user.id:
        raise HTTPException(
            status_code=403, detail="Super users are not allowed to delete themselves"
        )
    crud.delete_user(session=session, user_id=user_id)
    return Message(message="User deleted successfully")
