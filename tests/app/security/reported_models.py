"""Tables beside the application's own, each declared as the guide says, or not at all."""

from typing import Any, ClassVar
from uuid import UUID, uuid4

from sqlalchemy import Table, UniqueConstraint
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from app.core.rls import UserScopedBase
from app.models import Item, User
from hedgerow import Scope, declare
from hedgerow.policies.registry import scope_of

_registry = registry()
METADATA = _registry.metadata
for _model in (User, Item):
    _table: Table = _model.__table__  # type: ignore[union-attr]
    _declaration = scope_of(_table)
    assert _declaration is not None
    declare(_table.to_metadata(METADATA), _declaration)


class Own(SQLModel, registry=_registry):
    """Keeps these tables out of the application's own metadata."""


class Comment(Own, table=True):
    __rls__: ClassVar[Scope] = Scope.through("item_id")

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    item_id: UUID = Field(foreign_key="item.id", ondelete="CASCADE", index=True)
    body: str = Field(max_length=1000)


class Project(UserScopedBase, Own, table=True):
    id: UUID = Field(default_factory=uuid4, primary_key=True)


class Ticket(UserScopedBase, Own, table=True):
    id: UUID = Field(default_factory=uuid4, primary_key=True)
    project_id: UUID = Field(foreign_key="project.id", index=True)


class Tag(UserScopedBase, Own, table=True):
    __table_args__: ClassVar[Any] = (UniqueConstraint("owner_id", "name"),)

    id: UUID = Field(default_factory=uuid4, primary_key=True)
    name: str


class TicketTag(Own, table=True):
    __tablename__ = "ticket_tag"
    __rls__: ClassVar[Scope] = Scope.through("ticket_id", "tag_id")

    ticket_id: UUID = Field(foreign_key="ticket.id", ondelete="CASCADE", primary_key=True)
    tag_id: UUID = Field(foreign_key="tag.id", ondelete="CASCADE", primary_key=True)


MODELS = (Comment, Project, Ticket, Tag, TicketTag)
