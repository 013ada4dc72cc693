"""Users and their notes."""

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


class Note(Base):
    __tablename__ = "note"
    __rls__ = Scope()
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str]
    answers: Mapped[int | None]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
