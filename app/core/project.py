"""What the command `hedgerow` needs to know of this application."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session
from sqlmodel import SQLModel, col

import hedgerow
from app.core.db import application_url, maintenance_url, owner_url
from app.core.rls import row_security
from app.core.text import normalize_email
from app.models import User
from hedgerow import Identity, Project, UserId


def find_user(session: Session, name: str) -> UUID | None:
    """Return the id of the user with this e-mail address."""
    address = normalize_email(name)
    if address is None:
        return None
    hedgerow.bind(session, Identity.sign_in(address), row_security)
    return session.scalar(select(col(User.id)).where(col(User.email) == address))


def is_admin(session: Session, user_id: UserId) -> bool:
    """Return whether this user's requests are an admin's."""
    hedgerow.bind(session, Identity(user_id), row_security)
    return bool(session.scalar(select(col(User.is_superuser)).where(col(User.id) == user_id)))


project = Project(
    row_security=row_security,
    metadata=SQLModel.metadata,
    application_url=application_url,
    owner_url=owner_url,
    find_user=find_user,
    is_admin=is_admin,
    maintenance_url=maintenance_url,
)
