"""Accounts."""

from typing import Any, Final, cast
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import QueryableAttribute, undefer
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session, col, delete, func, select, update

import hedgerow
from app.core.rls import row_security
from app.core.security import get_password_hash, verify_password
from app.core.text import normalize_email
from app.crud.errors import (
    EmailTakenError,
    LastSuperuserError,
    PasswordChangedError,
    UserNotFoundError,
)
from app.models import User, UserCreate, UserRegister, UserUpdate, UserUpdateMe
from hedgerow import Identity

WITH_PASSWORD_HASH: Final = undefer(cast(QueryableAttribute[str], User.hashed_password))
"""The option of a query that reads the hash too: while somebody signs in, or of one's own row."""


def register_user(*, session: Session, user_create: UserRegister) -> User:
    """Store the account of somebody who signs up; raises EmailTakenError.

    Binds the session to the address: PostgreSQL lets it insert this account, and no superuser.
    """
    hedgerow.bind(session, Identity.sign_in(user_create.email), row_security)
    return create_user(session=session, user_create=UserCreate(**user_create.model_dump()))


def create_user(*, session: Session, user_create: UserCreate) -> User:
    """Store a new account, in an admin's session; raises EmailTakenError."""
    hashed_password = get_password_hash(user_create.password)
    user = User.model_validate(user_create, update={"hashed_password": hashed_password})
    return _save(session, user)


def update_user(*, session: Session, db_user: User, user_in: UserUpdate | UserUpdateMe) -> User:
    """Store the fields that were given.

    Raises EmailTakenError, UserNotFoundError and, for the last active superuser who would be none
    any more, LastSuperuserError.
    """
    changes: dict[str, Any] = user_in.model_dump(exclude_unset=True, exclude={"current_password"})
    password = changes.pop("password", None)
    if password is not None:
        session.commit()  # no connection should wait for the hash
        changes["hashed_password"] = get_password_hash(password)
    if not (changes.get("is_superuser", True) and changes.get("is_active", True)):
        _keep_a_superuser(session, db_user)
    return _save(session, db_user.sqlmodel_update(changes))


def set_password(*, session: Session, db_user: User, password: str) -> None:
    """Store a new password in the place of the one that was read; raises PasswordChangedError."""
    read = db_user.hashed_password
    session.commit()  # no connection should wait for the hash
    if not _replace_hash(session, db_user, read, get_password_hash(password)):
        raise PasswordChangedError


def delete_user(*, session: Session, user_id: UUID) -> None:
    """Delete the account and, through the foreign keys, its rows.

    Raises UserNotFoundError and, for the last active superuser, LastSuperuserError.
    """
    user = session.get(User, user_id)
    if user is None:
        raise UserNotFoundError
    _keep_a_superuser(session, user)
    deleted = session.exec(delete(User).where(col(User.id) == user_id))
    session.commit()
    if deleted.rowcount == 0:
        raise UserNotFoundError


def _keep_a_superuser(session: Session, user: User) -> None:
    """Refuse to go on where no other account is an active superuser; theirs are locked until then.

    Two who remove each other at once wait for each other here, in the order of their ids, and the
    second sees what the first did.
    """
    if not user.is_superuser:
        return
    active = (
        select(User.id).where(col(User.is_superuser), col(User.is_active)).order_by(col(User.id))
    )
    if [*session.exec(active.with_for_update())] == [user.id]:
        session.rollback()
        raise LastSuperuserError


def get_users(*, session: Session, skip: int = 0, limit: int = 100) -> list[User]:
    """Return one page of all users, newest first."""
    newest_first = select(User).order_by(col(User.created_at).desc(), col(User.id).desc())
    return list(session.exec(newest_first.offset(skip).limit(limit)))


def count_users(*, session: Session) -> int:
    """Return the number of all users."""
    return session.exec(select(func.count()).select_from(User)).one()


def get_user_by_email(*, session: Session, email: str) -> User | None:
    """Return the account with this address, in upper or lower case, or None.

    Binds the session to the address, of which nobody knows yet whether it is the user's: it sees
    that account, and nothing else. `hedgerow.bind` to the user's own identity is what comes next.
    """
    address = normalize_email(email)
    if address is None:
        return None
    hedgerow.bind(session, Identity.sign_in(address), row_security)
    claimed = select(User).where(User.email == address).options(WITH_PASSWORD_HASH)
    return session.exec(claimed).first()


def authenticate(*, session: Session, email: str, password: str) -> User | None:
    """Return the account if the password is right, else None; both take the same time.

    The session is the user's from then on. A hash of an older kind is replaced. The trap: the
    account may be inactive.
    """
    user = get_user_by_email(session=session, email=email)
    # Hashing takes its time on purpose, and no connection should wait for it.
    session.commit()
    while user is not None:
        verified = user.hashed_password
        is_right, better_hash = verify_password(password, verified)
        if not is_right:
            return None
        hedgerow.bind(session, Identity(user.id), row_security)
        if better_hash is None or _replace_hash(session, user, verified, better_hash):
            return user
        # Changed while this one was hashing: the password itself, or its hash by another sign-in.
        user = session.get(User, user.id, options=[WITH_PASSWORD_HASH], populate_existing=True)
        session.commit()
    verify_password(password, None)
    return None


def _replace_hash(session: Session, user: User, read: str, new: str) -> bool:
    """Store the new hash, unless the account has another one, or address, by now than was read."""
    unchanged = update(User).where(
        col(User.id) == user.id,
        col(User.hashed_password) == read,
        col(User.email) == user.email,
    )
    replaced = session.exec(unchanged.values(hashed_password=new)).rowcount > 0
    session.commit()
    return replaced


def _save(session: Session, user: User) -> User:
    session.add(user)
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        if isinstance(error.orig, UniqueViolation):
            raise EmailTakenError from error
        raise
    except StaleDataError as error:
        session.rollback()
        raise UserNotFoundError from error
    return user
