"""The first users, and a few items to look at."""

from typing import Final

from sqlalchemy.dialects.postgresql import insert
from sqlmodel import Session, col, select

from app import crud
from app.core.config import settings
from app.core.security import get_password_hash
from app.models import ItemCreate, User

_SAMPLE_TITLES: Final = ("Plant the hedgerow", "Fix the gate", "Count the sparrows")


def create_first_users(session: Session) -> None:
    """Create FIRST_SUPERUSER and FIRST_USER where they are missing, and commit.

    Several processes may do so at once. An account that exists is left as it is.
    """
    # Always in this order: two processes that insert in opposite orders wait for each other.
    passwords = {
        settings.FIRST_USER: settings.FIRST_USER_PASSWORD,
        settings.FIRST_SUPERUSER: settings.FIRST_SUPERUSER_PASSWORD,
    }
    present = session.exec(select(User.email).where(col(User.email).in_(passwords))).all()
    for email, password in passwords.items():
        if email in present:
            continue
        user = User(
            email=email,
            hashed_password=get_password_hash(password),
            is_superuser=email == settings.FIRST_SUPERUSER,
        )
        session.exec(insert(User).values(user.model_dump()).on_conflict_do_nothing())
    session.commit()


def create_sample_items(session: Session, owner: User) -> None:
    """Give the owner a few items where there are none; the session is bound to the owner."""
    if crud.count_items(session=session, owner_id=owner.id) > 0:
        return
    for title in _SAMPLE_TITLES:
        item_in = ItemCreate(title=title, description=f"A sample item of {owner.email}")
        crud.create_item(session=session, item_in=item_in, owner_id=owner.id)
