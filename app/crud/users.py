"""Accounts."""

from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session, col, delete, func, select, update

from app.core.security import get_password_hash, pretend_to_verify_password, verify_password
from app.core.text import normalize_email
from app.crud.errors import EmailTakenError, UserNotFoundError
from app.models import User, UserCreate, UserUpdate, UserUpdateMe


def create_user(*, session: Session, user_create: UserCreate) -> User:
    """Store a new account; raises EmailTakenError."""
    hashed_password = get_password_hash(user_create.password)
    user = User.model_validate(user_create, update={"hashed_password": hashed_password})
    return _save(session, user)


def update_user(*, session: Session, db_user: User, user_in: UserUpdate | UserUpdateMe) -> User:
    """Store the fields that were given; raises EmailTakenError and UserNotFoundError."""
    changes: dict[str, Any] = user_in.model_dump(exclude_unset=True, exclude={"current_password"})
    password = changes.pop("password", None)
    if password is not None:
        changes["hashed_password"] = get_password_hash(password)
    return _save(session, db_user.sqlmodel_update(changes))


def set_password(*, session: Session, db_user: User, password: str) -> None:
    """Store a new password; raises UserNotFoundError."""
    db_user.hashed_password = get_password_hash(password)
    _save(session, db_user)


def delete_user(*, session: Session, user_id: UUID) -> None:
    """Delete the account and, through the foreign keys, its rows; raises UserNotFoundError."""
    deleted = session.exec(delete(User).where(col(User.id) == user_id))
    session.commit()
    if deleted.rowcount == 0:
        raise UserNotFoundError


def get_users(*, session: Session, skip: int = 0, limit: int = 100) -> list[User]:
    """Return one page of all users, newest first."""
    newest_first = select(User).order_by(col(User.created_at).desc(), col(User.id).desc())
    return list(session.exec(newest_first.offset(skip).limit(limit)))


def count_users(*, session: Session) -> int:
    """Return the number of all users."""
    return session.exec(select(func.count()).select_from(User)).one()


def get_user_by_email(*, session: Session, email: str) -> User | None:
    """Return the account with this address, in upper or lower case, or None."""
    address = normalize_email(email)
    if address is None:
        return None
    return session.exec(select(User).where(User.email == address)).first()


def authenticate(*, session: Session, email: str, password: str) -> User | None:
    """Return the account if the password is right, else None; both take the same time.

    A hash of an older kind is replaced. The trap: the account may be inactive.
    """
    user = get_user_by_email(session=session, email=email)
    # Hashing takes its time on purpose, and no connection should wait for it.
    session.commit()
    if user is None:
        pretend_to_verify_password(password)
        return None
    verified = user.hashed_password
    is_right, better_hash = verify_password(password, verified)
    if not is_right:
        return None
    if better_hash is not None and not _replace_hash(session, user, verified, better_hash):
        # Changed while this one was hashing: the password itself, or its hash by another sign-in.
        return authenticate(session=session, email=email, password=password)
    return user


def _replace_hash(session: Session, user: User, verified: str, better: str) -> bool:
    """Store the better hash, unless the account has another one by now than was verified."""
    unchanged = update(User).where(col(User.id) == user.id, col(User.hashed_password) == verified)
    replaced = session.exec(unchanged.values(hashed_password=better)).rowcount > 0
    session.commit()
    if not replaced:
        session.expire(user)
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
