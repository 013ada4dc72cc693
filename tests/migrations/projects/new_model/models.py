"""Users, and tasks that belong to them."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import Scope, exempt


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account")
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Task(Base):
    __tablename__ = "task"
    __rls__ = Scope()
    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
