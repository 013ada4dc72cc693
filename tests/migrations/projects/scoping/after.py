"""Notes are shared now; tags and drafts belong to users."""

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
    __rls__ = exempt("owner_id only tells who wrote it")
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)


class Tag(Base):
    __tablename__ = "tag"
    __rls__ = Scope()
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(
        ForeignKey("user.id", name="tag_owner_id_fkey"), index=True
    )


class Draft(Base):
    __tablename__ = "draft"
    __rls__ = Scope()
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
