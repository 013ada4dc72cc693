"""Letters, of which only a text says who wrote them; the application could not read them so far."""

from uuid import UUID

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import exempt


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account")
    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[str]


class Letter(Base):
    __tablename__ = "letter"
    __rls__ = exempt("written together", commands={"SELECT", "INSERT", "UPDATE", "DELETE"})
    id: Mapped[int] = mapped_column(primary_key=True)
    written_by: Mapped[str]
