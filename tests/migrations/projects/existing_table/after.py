"""Letters belong to who wrote them."""

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
    email: Mapped[str]


class Letter(Base):
    __tablename__ = "letter"
    __rls__ = Scope()
    id: Mapped[int] = mapped_column(primary_key=True)
    written_by: Mapped[str]
    owner_id: Mapped[UUID] = mapped_column(
        ForeignKey("user.id", name="letter_owner_id_fkey", ondelete="CASCADE"), index=True
    )
