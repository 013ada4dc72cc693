"""Invoices, in a schema of their own, numbered by the database."""

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


class Invoice(Base):
    __tablename__ = "invoice"
    __table_args__ = {"schema": "billing"}  # noqa: RUF012
    __rls__ = Scope()
    number: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
