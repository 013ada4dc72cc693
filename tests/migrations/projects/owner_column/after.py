"""Letters belong to their author, and envelopes to their sender."""

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


class Letter(Base):
    __tablename__ = "letter"
    __rls__ = Scope(owner_column="author_id")
    id: Mapped[UUID] = mapped_column(primary_key=True)
    author_id: Mapped[UUID] = mapped_column(
        ForeignKey("user.id", name="letter_author_id_fkey"), index=True
    )


class Envelope(Base):
    __tablename__ = "envelope"
    __rls__ = Scope(owner_column="sender_id")
    id: Mapped[UUID] = mapped_column(primary_key=True)
    sender_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
