"""Tables, and the models of requests and responses.

The base classes hold columns. Only the models of requests validate input, so that a row written by
other means can always be read.
"""

from datetime import UTC, datetime
from typing import Annotated, ClassVar
from uuid import UUID, uuid4

from pydantic import StrictBool
from sqlalchemy import DateTime, Index
from sqlmodel import Field, Relationship, SQLModel, col

import hedgerow
from app.core.omittable import NeverNull
from app.core.rls import UserScopedBase
from app.core.text import SHORT_TEXT_LENGTH, Email, Password, ShortText, Text, Title


def utc_now() -> datetime:
    """Return the current time, with its time zone."""
    return datetime.now(UTC)


class UserBase(SQLModel):
    """The fields that a user's row, requests and responses share."""

    email: str = Field(unique=True, index=True, max_length=SHORT_TEXT_LENGTH)
    is_active: StrictBool = True
    is_superuser: StrictBool = False
    full_name: str | None = Field(default=None, max_length=SHORT_TEXT_LENGTH)


class UserCreate(UserBase):
    """Request: create a user, for superusers."""

    email: Email
    password: Password
    full_name: ShortText | None = None


class UserRegister(SQLModel):
    """Request: sign up."""

    email: Email
    password: Password
    full_name: ShortText | None = None


class PrivateUserCreate(SQLModel):
    """Request: create a user for a front end's tests, where ENVIRONMENT is local."""

    email: Email
    password: Password
    full_name: ShortText
    # The official front end's tests send it; here every address counts as verified.
    is_verified: StrictBool = False


class UserUpdate(SQLModel):
    """Request: change a user, for superusers; a field that is not given stays as it is."""

    email: Annotated[Email | None, NeverNull()] = None
    is_active: Annotated[StrictBool | None, NeverNull()] = None
    is_superuser: Annotated[StrictBool | None, NeverNull()] = None
    full_name: ShortText | None = None
    password: Password | None = Field(default=None, description="null keeps the current one")


class UserUpdateMe(SQLModel):
    """Request: change your own account; a field that is not given stays as it is."""

    full_name: ShortText | None = None
    email: Annotated[Email | None, NeverNull()] = None
    current_password: Password | None = Field(
        default=None, description="needed to change the e-mail address"
    )


class UpdatePassword(SQLModel):
    """Request: change your own password."""

    current_password: Password
    new_password: Password


class User(UserBase, table=True):
    """An account: a user sees their own, and whoever signs in the one of that e-mail address.

    Only admins make superusers, and even they do not read a password's hash.
    """

    __rls__: ClassVar[hedgerow.Scope] = hedgerow.Scope.itself(
        sign_in="email",
        admin_only={"is_active": True, "is_superuser": False},
        secret={"hashed_password"},
        services={"first-superuser": {"INSERT"}},
        recorded=hedgerow.Recorded(values=frozenset({"is_active", "is_superuser"})),
    )

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    hashed_password: str
    created_at: datetime = Field(default_factory=utc_now, sa_type=DateTime(timezone=True))
    # The database deletes the items: a session without an identity could not read them first.
    items: list["Item"] = Relationship(
        back_populates="owner", cascade_delete=True, passive_deletes=True
    )


class UserPublic(UserBase):
    """Response: a user."""

    id: UUID
    created_at: datetime


class UsersPublic(SQLModel):
    """Response: one page of users, and the total number."""

    data: list[UserPublic]
    count: int


class ItemBase(SQLModel):
    """The fields that an item's row, requests and responses share."""

    title: str = Field(max_length=SHORT_TEXT_LENGTH)
    description: str | None = Field(default=None, max_length=SHORT_TEXT_LENGTH)


class ItemCreate(ItemBase):
    """Request: create an item."""

    title: Title
    description: ShortText | None = None


class ItemUpdate(SQLModel):
    """Request: change an item; a field that is not given stays as it is."""

    title: Annotated[Title | None, NeverNull()] = None
    description: ShortText | None = None


class Item(UserScopedBase, ItemBase, table=True):
    """An item of one user; row security hides it from other users."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=DateTime(timezone=True))
    owner: User | None = Relationship(back_populates="items")


# The order of the list of items: owner first, then exactly its ORDER BY.
Index(
    "ix_item_owner_id_created_at_id",
    col(Item.owner_id),
    col(Item.created_at).desc(),
    col(Item.id).desc(),
)


class ItemPublic(ItemBase):
    """Response: an item."""

    id: UUID
    owner_id: UUID
    created_at: datetime


class ItemsPublic(SQLModel):
    """Response: one page of items, and the total number of visible ones."""

    data: list[ItemPublic]
    count: int


class Message(SQLModel):
    """Response: a message for the user."""

    message: str


class Token(SQLModel):
    """Response: the token of a sign-in."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105


class PasswordUpdated(Message, Token):
    """Response: the password is changed, which ended every token; go on with this one."""


class TokenPayload(SQLModel):
    """The claim of a token that names the user."""

    sub: UUID


class NewPassword(SQLModel):
    """Request: set a new password with the token of a recovery e-mail."""

    token: Text
    new_password: Password
