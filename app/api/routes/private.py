"""Shortcuts for a front end's tests; served only where ENVIRONMENT is local."""

from fastapi import APIRouter

from app import crud
from app.api.deps import AsyncSessionDep
from app.api.errors import refusals
from app.api.routes.users import refuse_taken_email
from app.models import PrivateUserCreate, User, UserPublic, UserRegister

router = APIRouter(prefix="/private", tags=["private"])


@router.post("/users/", response_model=UserPublic, responses=refusals(400, 503))
async def create_user(user_in: PrivateUserCreate, session: AsyncSessionDep) -> User:
    """Create a user without being signed in."""
    user_create = UserRegister(**user_in.model_dump(exclude={"is_verified"}))
    with refuse_taken_email(400, "The user with this email already exists in the system"):
        return await session.run_sync(
            lambda _: crud.register_user(session=session.sync_session, user_create=user_create)
        )
