"""Names that are SQL only in quotes: reserved, of mixed case, with spaces, quotes and percents."""

from uuid import UUID

from sqlalchemy import ForeignKey, Table
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql import ColumnElement

from hedgerow import Policy, Scope, Shares, exempt


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
    __rls__ = Scope(owner_column="select", shared_with=Shares('Share "of" %', user="User"))
    number: Mapped[int] = mapped_column("Group", primary_key=True)
    owner_id: Mapped[UUID] = mapped_column("select", ForeignKey("user.id"))
    order: Mapped[int | None] = mapped_column("Order %", ForeignKey("Odd Schema.order.Number"))


class Share(Base):
    __tablename__ = 'Share "of" %'
    __rls__ = Scope.through("Mixed %")
    mixed: Mapped[int] = mapped_column(
        "Mixed %", ForeignKey(MixedCase.__table__.c["Group"]), primary_key=True
    )
    user_id: Mapped[UUID] = mapped_column("User", ForeignKey("user.id"), primary_key=True)
