"""Items of one owner, or of all users for an admin."""

from enum import Enum
from typing import Final
from uuid import UUID

from psycopg.errors import ForeignKeyViolation
from sqlalchemy import ColumnElement
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from sqlmodel import Session, col, delete, func, select
from sqlmodel.sql.expression import SelectOfScalar

from app.crud.errors import UserNotFoundError
from app.models import Item, ItemCreate, ItemUpdate


class AllOwners(Enum):
    """Takes the place of an owner's id where an admin means the items of all users."""

    ALL_OWNERS = "all_owners"


ALL_OWNERS: Final = AllOwners.ALL_OWNERS


def create_item(*, session: Session, item_in: ItemCreate, owner_id: UUID) -> Item:
    """Store a new item of the owner's; raises UserNotFoundError where there is no such owner."""
    item = Item.model_validate(item_in, update={"owner_id": owner_id})
    session.add(item)
    try:
        session.commit()
    except IntegrityError as error:
        session.rollback()
        if isinstance(error.orig, ForeignKeyViolation):
            raise UserNotFoundError from error
        raise
    return item


def get_items(
    *, session: Session, owner_id: UUID | AllOwners, skip: int = 0, limit: int = 100
) -> list[Item]:
    """Return one page of the owner's items, newest first."""
    page = _newest_first().where(*_owned_by(owner_id)).offset(skip).limit(limit)
    return list(session.exec(page))


def get_items_admin(*, session: Session, skip: int = 0, limit: int = 100) -> list[Item]:
    """Return one page of all users' items, newest first."""
    return get_items(session=session, owner_id=ALL_OWNERS, skip=skip, limit=limit)


def count_items(*, session: Session, owner_id: UUID | AllOwners) -> int:
    """Return the number of the owner's items."""
    count = select(func.count()).select_from(Item).where(*_owned_by(owner_id))
    return session.exec(count).one()


def count_items_admin(*, session: Session) -> int:
    """Return the number of all users' items."""
    return count_items(session=session, owner_id=ALL_OWNERS)


def get_item(*, session: Session, item_id: UUID, owner_id: UUID | AllOwners) -> Item | None:
    """Return the item, or None where it does not exist or is not the owner's."""
    own = select(Item).where(Item.id == item_id, *_owned_by(owner_id))
    return session.exec(own).first()


def get_item_admin(*, session: Session, item_id: UUID) -> Item | None:
    """Return anybody's item, or None where it does not exist."""
    return get_item(session=session, item_id=item_id, owner_id=ALL_OWNERS)


def update_item(
    *, session: Session, db_item: Item, item_in: ItemUpdate, owner_id: UUID | AllOwners
) -> Item | None:
    """Store the fields that were given.

    Returns None, and stores nothing, where the item is not the owner's or was deleted meanwhile.
    """
    if owner_id not in (ALL_OWNERS, db_item.owner_id):
        return None
    db_item.sqlmodel_update(item_in.model_dump(exclude_unset=True))
    session.add(db_item)
    try:
        session.commit()
    except StaleDataError:
        session.rollback()
        return None
    return db_item


def update_item_admin(*, session: Session, db_item: Item, item_in: ItemUpdate) -> Item | None:
    """Store the fields that were given, or return None where the item was deleted meanwhile."""
    return update_item(session=session, db_item=db_item, item_in=item_in, owner_id=ALL_OWNERS)


def delete_item(*, session: Session, item_id: UUID, owner_id: UUID | AllOwners) -> bool:
    """Delete the item; return False where it does not exist or is not the owner's."""
    own = delete(Item).where(col(Item.id) == item_id, *_owned_by(owner_id))
    deleted = session.exec(own).rowcount > 0
    session.commit()
    return deleted


def delete_item_admin(*, session: Session, item_id: UUID) -> bool:
    """Delete anybody's item; return False where it does not exist."""
    return delete_item(session=session, item_id=item_id, owner_id=ALL_OWNERS)


def _owned_by(owner_id: UUID | AllOwners) -> list[ColumnElement[bool]]:
    """Return the condition of a statement about this owner's items; none for all users'."""
    return [] if isinstance(owner_id, AllOwners) else [col(Item.owner_id) == owner_id]


def _newest_first() -> SelectOfScalar[Item]:
    return select(Item).order_by(col(Item.created_at).desc(), col(Item.id).desc())
