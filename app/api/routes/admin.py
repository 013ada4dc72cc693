"""The items of all users, for superusers."""

from uuid import UUID

from fastapi import APIRouter

from app import crud
from app.api.deps import AdminSessionDep, ReadOnlyAdminSessionDep, ViewAsSessionDep
from app.api.errors import SIGNED_IN, item_not_found
from app.api.paging import Limit, Skip
from app.models import Item, ItemCreate, ItemPublic, ItemsPublic, ItemUpdate, Message

router = APIRouter(prefix="/admin/items", tags=["admin"], responses=SIGNED_IN)
view_as_router = APIRouter(prefix="/admin/users", tags=["admin"], responses=SIGNED_IN)


@router.get("/")
def read_all_items(
    session: ReadOnlyAdminSessionDep, skip: Skip = 0, limit: Limit = 100
) -> ItemsPublic:
    """List the items of all users, newest first."""
    items = crud.get_items_admin(session=session, skip=skip, limit=limit)
    count = crud.count_items_admin(session=session)
    return ItemsPublic(data=[ItemPublic.model_validate(item) for item in items], count=count)


@router.get("/{id}", response_model=ItemPublic)
def read_any_item(session: ReadOnlyAdminSessionDep, id: UUID) -> Item:
    """Read any item."""
    item = crud.get_item_admin(session=session, item_id=id)
    if item is None:
        raise item_not_found()
    return item


@router.post("/", response_model=ItemPublic)
def create_item_for_user(session: AdminSessionDep, owner_id: UUID, item_in: ItemCreate) -> Item:
    """Create an item of the user `owner_id`."""
    return crud.create_item(session=session, item_in=item_in, owner_id=owner_id)


@router.put("/{id}", response_model=ItemPublic)
def update_any_item(session: AdminSessionDep, id: UUID, item_in: ItemUpdate) -> Item:
    """Change the given fields only."""
    item = crud.get_item_admin(session=session, item_id=id)
    if item is not None:
        item = crud.update_item_admin(session=session, db_item=item, item_in=item_in)
    if item is None:
        raise item_not_found()
    return item


@router.delete("/{id}")
def delete_any_item(session: AdminSessionDep, id: UUID) -> Message:
    """Delete any item."""
    if not crud.delete_item_admin(session=session, item_id=id):
        raise item_not_found()
    return Message(message="Item deleted successfully")


@view_as_router.get("/{user_id}/items/")
def read_items_as_user(
    session: ViewAsSessionDep, user_id: UUID, skip: Skip = 0, limit: Limit = 100
) -> ItemsPublic:
    """List a user's items as that user sees them."""
    items = crud.get_items(session=session, owner_id=user_id, skip=skip, limit=limit)
    count = crud.count_items(session=session, owner_id=user_id)
    return ItemsPublic(data=[ItemPublic.model_validate(item) for item in items], count=count)
