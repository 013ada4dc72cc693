"""The trail holds a value of tasks, and nothing of seats and of accounts any more."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import Audit, Recorded, Scope, exempt

AUDIT = Audit()


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account", commands={"SELECT", "UPDATE"})
    id: Mapped[UUID] = mapped_column(primary_key=True)
    is_active: Mapped[bool]


class Task(Base):
    __tablename__ = 'Task "1"'
    __rls__ = Scope(recorded=Recorded(values=frozenset({"state"})))
    id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)


class Seat(Base):
    __tablename__ = "seat"
    __rls__ = Scope(recorded=None)
    row: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
