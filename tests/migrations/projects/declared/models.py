"""A table of each declaration: users, their items, and what hangs on those or is shared."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Column, ForeignKey, Table, func
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import Scope, declare, exempt


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = Scope.itself()
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Item(Base):
    __tablename__ = "item"
    __rls__ = Scope("owner_id", shared_with="item_share")
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)


class ItemShare(Base):
    __tablename__ = "item_share"
    __rls__ = Scope.through("item_id")
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), primary_key=True)
    can_write: Mapped[bool] = mapped_column(server_default="false")


class Comment(Base):
    __tablename__ = "comment"
    __rls__ = Scope.through("item_id")
    id: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[int] = mapped_column(ForeignKey("item.id"), index=True)


class Ticket(Base):
    __tablename__ = "ticket"
    __rls__ = Scope("owner_id")
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
    item_id: Mapped[int | None] = mapped_column(ForeignKey("item.id"))


class Tag(Base):
    __tablename__ = "tag"
    __rls__ = Scope("owner_id", read="everyone")
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)


class TicketTag(Base):
    __tablename__ = "ticket_tag"
    __rls__ = Scope.through("ticket_id", "tag_id")
    ticket_id: Mapped[int] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    tag_id: Mapped[int] = mapped_column(ForeignKey("tag.id"), primary_key=True, index=True)


class Event(Base):
    __tablename__ = "event"
    __rls__ = Scope("owner_id", commands={"SELECT", "INSERT"})
    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())


class Notice(Base):
    __tablename__ = "notice"
    __rls__ = Scope(None, read="everyone")
    id: Mapped[int] = mapped_column(primary_key=True)


class Country(Base):
    __tablename__ = "country"
    __rls__ = exempt("countries are no secret")
    code: Mapped[str] = mapped_column(primary_key=True)


favourite = Table(
    "favourite",
    Base.metadata,
    Column("item_id", ForeignKey("item.id"), primary_key=True),
    Column("country_code", ForeignKey("country.code"), primary_key=True),
)
declare(favourite, Scope.through("item_id"))
