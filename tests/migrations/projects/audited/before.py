"""A project that keeps no audit trail: users with a table each of their own, and of others."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import Scope, exempt


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account", commands={"SELECT", "UPDATE"})
    id: Mapped[UUID] = mapped_column(primary_key=True)
    is_active: Mapped[bool]


class Task(Base):
    __tablename__ = 'Task "1"'
    __rls__ = Scope()
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)


class Seat(Base):
    __tablename__ = "seat"
    __rls__ = Scope()
    row: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
