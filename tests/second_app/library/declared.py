"""This application as the command `hedgerow` sees it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from hedgerow import Project, UserId

from .database import application_url, owner_url
from .models import Account, Base
from .security import row_security


def find_user(session: Session, name: str) -> int | None:
    return session.scalar(select(Account.id).where(Account.email == name))


def is_admin(session: Session, user_id: UserId) -> bool:
    return bool(session.scalar(select(Account.is_librarian).where(Account.id == user_id)))


project = Project(
    row_security=row_security,
    metadata=Base.metadata,
    application_url=application_url,
    owner_url=owner_url,
    find_user=find_user,
    is_admin=is_admin,
)
