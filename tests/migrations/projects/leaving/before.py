"""Tasks, and drafts that one may also see once they are published."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import Policy, Scope, exempt


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account")
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Task(Base):
    __tablename__ = "task"
    __rls__ = Scope()
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)


class Draft(Base):
    __tablename__ = "draft"
    __rls__ = Scope(policies=(Policy("draft_published", "SELECT", using="published"),))
    id: Mapped[int] = mapped_column(primary_key=True)
    published: Mapped[bool]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
