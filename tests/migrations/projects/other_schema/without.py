"""Users alone."""

from uuid import UUID

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from hedgerow import exempt


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account")
    id: Mapped[UUID] = mapped_column(primary_key=True)
