"""Names that are SQL only in quotes: reserved, of mixed case, with spaces, quotes and percents."""

from uuid import UUID

from sqlalchemy import ForeignKey, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql import ColumnElement

from hedgerow import Policy, Scope, exempt


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account")
    id: Mapped[UUID] = mapped_column(primary_key=True)


def sold(order: Table) -> ColumnElement[bool]:
    return order.c["Sold %"].like("100\\%:it's%")


class Order(Base):
    __tablename__ = "order"
    __table_args__ = {"schema": "Odd Schema"}  # noqa: RUF012
    __rls__ = Scope(
        owner_column='Owner "id" %',
        policies=(
            Policy('100% "sold"', "SELECT", using=sold),
            Policy("it's :bound", "DELETE", using="\"Sold %\" LIKE '50%' OR 7 % 2 = 1"),
        ),
    )
    number: Mapped[int] = mapped_column("Number", primary_key=True)
    sold: Mapped[str] = mapped_column("Sold %")
    owner_id: Mapped[UUID] = mapped_column('Owner "id" %', ForeignKey("user.id"))


class MixedCase(Base):
    __tablename__ = 'Mixed "Case" %s $$'
    __rls__ = Scope(owner_column="select")
    number: Mapped[int] = mapped_column("Group", primary_key=True)
    owner_id: Mapped[UUID] = mapped_column("select", ForeignKey("user.id"))
