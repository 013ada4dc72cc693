"""A user's own items; a superuser reaches everybody's."""

from uuid import UUID

from fastapi import APIRouter
from sqlmodel import Session

from app import crud
from app.api.deps import CurrentUser, RLSSessionDep
from app.api.errors import SIGNED_IN, item_not_found
from app.api.paging import Limit, Skip
from app.models import (
    Item,
    ItemCreate,
    ItemPublic,
    ItemsPublic,
    ItemUpdate,
    Message,
    User,
)

router = APIRouter(prefix="/items", tags=["items"], responses=SIGNED_IN)


@router.get("/")
def read_items(
    session: RLSSessionDep, current_user: CurrentUser, skip: Skip = 0, limit: Limit = 100
) -> ItemsPublic:
    """List one's own items, newest first; `count` is the number of all of them."""
    if current_user.is_superuser:
        items = crud.get_items_admin(session=session, skip=skip, limit=limit)
        count = crud.count_items_admin(session=session)
    else:
        owner_id = current_user.id
        items = crud.get_items(session=session, owner_id=owner_id, skip=skip, limit=limit)
        count = crud.count_items(session=session, owner_id=owner_id)
    return ItemsPublic(data=[ItemPublic.model_validate(item) for item in items], count=count)


@router.get("/{id}", response_model=ItemPublic)
def read_item(session: RLSSessionDep, current_user: CurrentUser, id: UUID) -> Item:
    """Read one item."""
    return _find(session, current_user, id)


@router.post("/", response_model=ItemPublic)
def create_item(session: RLSSessionDep, current_user: CurrentUser, item_in: ItemCreate) -> Item:
    """Create an item of one's own."""
    return crud.create_item(session=session, item_in=item_in, owner_id=current_user.id)


@router.put("/{id}", response_model=ItemPublic)
def update_item(
    session: RLSSessionDep, current_user: CurrentUser, id: UUID, item_in: ItemUpdate
) -> Item:
    """Change the fields that are given, and no others."""
    item = _find(session, current_user, id)
    if current_user.is_superuser:
        updated = crud.update_item_admin(session=session, db_item=item, item_in=item_in)
    else:
        updated = crud.update_item(
            session=session, db_item=item, item_in=item_in, owner_id=current_user.id
        )
    if updated is None:
        raise item_not_found()
    return updated


@router.delete("/{id}")
def delete_item(session: RLSSessionDep, current_user: CurrentUser, id: UUID) -> Message:
    """Delete one item."""
    if current_user.is_superuser:
        deleted = crud.delete_item_admin(session=session, item_id=id)
    else:
        deleted = crud.delete_item(session=session, item_id=id, owner_id=current_user.id)
    if not deleted:
        raise item_not_found()
    return Message(message="Item deleted successfully")


def _find(session: Session, user: User, item_id: UUID) -> Item:
    if user.is_superuser:
        item = crud.get_item_admin(session=session, item_id=item_id)
    else:
        item = crud.get_item(session=session, item_id=item_id, owner_id=user.id)
    if item is None:
        raise item_not_found()
    return item
