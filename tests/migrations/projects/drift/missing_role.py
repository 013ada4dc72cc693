"""The same, but that a policy names a role which no server has."""

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
            Policy("note_shared", "SELECT", ("mp_nobody",), using="shared"),
            Policy("note_open", "UPDATE", using="NOT locked", permissive=False),
        ),
        unmanaged=frozenset({"note_of_the_day"}),
    )
    id: Mapped[int] = mapped_column(primary_key=True)
    shared: Mapped[bool]
    locked: Mapped[bool]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
