"""The first users, and a few items to look at."""

from contextlib import suppress
from typing import Final

from sqlmodel import Session

import hedgerow
from app import crud
from app.core.config import settings
from app.core.rls import row_security
from app.models import ItemCreate, User, UserCreate, UserRegister
from hedgerow import Identity

_SAMPLE_TITLES: Final = ("Plant the hedgerow", "Fix the gate", "Count the sparrows")


def create_first_users(session: Session) -> None:
    """Create FIRST_SUPERUSER and FIRST_USER where they are missing, and commit.

    Several processes may do so at once. An account that exists is left as it is.
    """
    if crud.get_user_by_email(session=session, email=settings.FIRST_USER) is None:
        first_user = UserRegister(email=settings.FIRST_USER, password=settings.FIRST_USER_PASSWORD)
        with suppress(crud.EmailTakenError):
            crud.register_user(session=session, user_create=first_user)
    if crud.get_user_by_email(session=session, email=settings.FIRST_SUPERUSER) is None:
        # Who signs up is no superuser, and there is no admin yet who could make one.
        service = Identity.service("first-superuser", reason="There was no first superuser.")
        hedgerow.bind(session, service, row_security)
        first_superuser = UserCreate(
            email=settings.FIRST_SUPERUSER,
            password=settings.FIRST_SUPERUSER_PASSWORD,
            is_superuser=True,
        )
        with suppress(crud.EmailTakenError):
            crud.create_user(session=session, user_create=first_superuser)
    session.commit()


def create_sample_items(session: Session, owner: User) -> None:
    """Give the owner a few items where there are none; the session is bound to the owner."""
    if crud.count_items(session=session, owner_id=owner.id) > 0:
        return
    for title in _SAMPLE_TITLES:
        item_in = ItemCreate(title=title, description=f"A sample item of {owner.email}")
        crud.create_item(session=session, item_in=item_in, owner_id=owner.id)
