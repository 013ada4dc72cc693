"""Tables, and the shapes of requests and responses.

The base classes hold columns; only the shapes of requests say what input must be like, so that
a row written by other means can always be read.
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
    """What a user's row, request and response share."""

    email: str = Field(unique=True, index=True, max_length=SHORT_TEXT_LENGTH)
    is_active: StrictBool = True
    is_superuser: StrictBool = False
    full_name: str | None = Field(default=None, max_length=SHORT_TEXT_LENGTH)


class UserCreate(UserBase):
    """What a superuser gives to create a user."""

    email: Email
    password: Password
    full_name: ShortText | None = None


class UserRegister(SQLModel):
    """What a person gives to sign up."""

    email: Email
    password: Password
    full_name: ShortText | None = None


class PrivateUserCreate(SQLModel):
    """What a front end's tests give to create a user, where ENVIRONMENT is local."""

    email: Email
    password: Password
    full_name: ShortText
    # The official front end's tests send it; here every address counts as verified.
    is_verified: StrictBool = False


class UserUpdate(SQLModel):
    """What a superuser may change of a user; a field that is not given stays as it is."""

    email: Annotated[Email | None, NeverNull()] = None
    is_active: Annotated[StrictBool | None, NeverNull()] = None
    is_superuser: Annotated[StrictBool | None, NeverNull()] = None
    full_name: ShortText | None = None
    password: Password | None = Field(default=None, description="null keeps the current one")


class UserUpdateMe(SQLModel):
    """What users may change of themselves; a field that is not given stays as it is."""

    full_name: ShortText | None = None
    email: Annotated[Email | None, NeverNull()] = None


class UpdatePassword(SQLModel):
    """What a user gives to change the password."""

    current_password: Password
    new_password: Password


class User(UserBase, table=True):
    """An account: not scoped by row security, since signing in must find it."""

    __rls__: ClassVar[hedgerow.Exempt] = hedgerow.exempt(
        "Signing in looks an account up by its address, before anybody is known to be asking;"
        " the routes of accounts check by themselves who may do what.",
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
    """What the API tells of a user."""

    id: UUID
    created_at: datetime


class UsersPublic(SQLModel):
    """One page of users, and the number of all."""

    data: list[UserPublic]
    count: int


class ItemBase(SQLModel):
    """What an item's row, request and response share."""

    title: str = Field(max_length=SHORT_TEXT_LENGTH)
    description: str | None = Field(default=None, max_length=SHORT_TEXT_LENGTH)


class ItemCreate(ItemBase):
    """What a person gives to create an item."""

    title: Title
    description: ShortText | None = None


class ItemUpdate(SQLModel):
    """What may be changed of an item; a field that is not given stays as it is."""

    title: Annotated[Title | None, NeverNull()] = None
    description: ShortText | None = None


class Item(UserScopedBase, ItemBase, table=True):
    """A thing that belongs to one user; PostgreSQL hides it from the others."""

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    created_at: datetime = Field(default_factory=utc_now, sa_type=DateTime(timezone=True))
    owner: User | None = Relationship(back_populates="items")


# The order of the list of one's own items: owner first, then exactly its ORDER BY.
Index(
    "ix_item_owner_id_created_at_id",
    col(Item.owner_id),
    col(Item.created_at).desc(),
    col(Item.id).desc(),
)


class ItemPublic(ItemBase):
    """What the API tells of an item."""

    id: UUID
    owner_id: UUID
    created_at: datetime


class ItemsPublic(SQLModel):
    """One page of items, and the number of all that are visible."""

    data: list[ItemPublic]
    count: int


class Message(SQLModel):
    """A sentence for a person."""

    message: str


class Token(SQLModel):
    """What signing in gives."""

    access_token: str
    token_type: str = "bearer"  # noqa: S105


class TokenPayload(SQLModel):
    """The part of a token's claims that names the user."""

    sub: UUID


class NewPassword(SQLModel):
    """What a person gives to set a new password after a recovery e-mail."""

    token: Text
    new_password: Password
