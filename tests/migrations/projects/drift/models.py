"""Notes of users, with policies of their own, one of them unmanaged."""

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


class Note(Base):
    __tablename__ = "note"
    __rls__ = Scope(
        policies=(
            Policy("note_shared", "SELECT", using="shared"),
            Policy("note_open", "UPDATE", using="NOT locked", permissive=False),
        ),
        unmanaged=frozenset({"note_of_the_day"}),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    shared: Mapped[bool]
    locked: Mapped[bool]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
