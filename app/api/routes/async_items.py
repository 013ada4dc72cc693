"""The current user's items through asynchronous routes, as an example.

`run_sync` gives a plain session to functions that are written for one, without blocking the event
loop.
"""

from uuid import UUID

from fastapi import APIRouter

from app.api.deps import AsyncCurrentUser, AsyncRLSSessionDep
from app.api.errors import SIGNED_IN
from app.api.paging import Limit, Skip
from app.api.routes import items
from app.models import Item, ItemCreate, ItemPublic, ItemsPublic

router = APIRouter(prefix="/async/items", tags=["async items"], responses=SIGNED_IN)


@router.get("/")
async def read_items(
    session: AsyncRLSSessionDep, skip: Skip = 0, limit: Limit = 100
) -> ItemsPublic:
    """List your own items, newest first; `count` is the total number."""
    return await session.run_sync(lambda _: items.read_items(session.sync_session, skip, limit))


@router.get("/{id}", response_model=ItemPublic)
async def read_item(session: AsyncRLSSessionDep, id: UUID) -> Item:
    """Read one item."""
    return await session.run_sync(lambda _: items.read_item(session.sync_session, id))


@router.post("/", response_model=ItemPublic)
async def create_item(
    session: AsyncRLSSessionDep, current_user: AsyncCurrentUser, item_in: ItemCreate
) -> Item:
    """Create an item of your own."""
    return await session.run_sync(
        lambda _: items.create_item(session.sync_session, current_user, item_in)
    )
