"""The current user's items; for a superuser, the items of all users."""

from uuid import UUID

from fastapi import APIRouter

from app import crud
from app.api.deps import CurrentUser, RLSSessionDep, owner_in_reach
from app.api.errors import SIGNED_IN, item_not_found
from app.api.paging import Limit, Skip
from app.models import Item, ItemCreate, ItemPublic, ItemsPublic, ItemUpdate, Message

router = APIRouter(prefix="/items", tags=["items"], responses=SIGNED_IN)


@router.get("/")
def read_items(session: RLSSessionDep, skip: Skip = 0, limit: Limit = 100) -> ItemsPublic:
    """List your own items, newest first; `count` is the total number."""
    owner_id = owner_in_reach(session)
    items = crud.get_items(session=session, owner_id=owner_id, skip=skip, limit=limit)
    count = crud.count_items(session=session, owner_id=owner_id)
    return ItemsPublic(data=[ItemPublic.model_validate(item) for item in items], count=count)


@router.get("/{id}", response_model=ItemPublic)
def read_item(session: RLSSessionDep, id: UUID) -> Item:
    """Read one item."""
    item = crud.get_item(session=session, item_id=id, owner_id=owner_in_reach(session))
    if item is None:
        raise item_not_found()
    return item


@router.post("/", response_model=ItemPublic)
def create_item(session: RLSSessionDep, current_user: CurrentUser, item_in: ItemCreate) -> Item:
    """Create an item of your own."""
    return crud.create_item(session=session, item_in=item_in, owner_id=current_user.id)


@router.put("/{id}", response_model=ItemPublic)
def update_item(session: RLSSessionDep, id: UUID, item_in: ItemUpdate) -> Item:
    """Change the given fields only."""
    updated = crud.update_item(
        session=session,
        db_item=read_item(session, id),
        item_in=item_in,
        owner_id=owner_in_reach(session),
    )
    if updated is None:
        raise item_not_found()
    return updated


@router.delete("/{id}")
def delete_item(session: RLSSessionDep, id: UUID) -> Message:
    """Delete one item."""
    owner_id = owner_in_reach(session)
    if not crud.delete_item(session=session, item_id=id, owner_id=owner_id):
        raise item_not_found()
    return Message(message="Item deleted successfully")
