"""Notes belong to users; tags and drafts are shared."""

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
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)


class Tag(Base):
    __tablename__ = "tag"
    __rls__ = exempt("tags are everybody's", commands={"SELECT", "INSERT"})
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Draft(Base):
    __tablename__ = "draft"
    __rls__ = exempt("written together")
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
