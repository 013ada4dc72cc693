"""Mapped classes that show every kind of link, key and protection."""

from datetime import datetime
from typing import ClassVar

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    MetaData,
    Numeric,
    Table,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

import hedgerow


class Base(DeclarativeBase):
    metadata = MetaData()


class Account(Base):
    __tablename__ = "account"
    __rls__: ClassVar[hedgerow.Exempt] = hedgerow.exempt("Signing in | must *find* it.")

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    profile: Mapped["Profile"] = relationship(back_populates="account")


class Profile(Base):
    __tablename__ = "profile"
    __rls__: ClassVar[hedgerow.Scope] = hedgerow.Scope(
        owner_column="account_id",
        policies=(hedgerow.Policy("profile_public", "SELECT", using="true"),),
    )

    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"), primary_key=True)
    account: Mapped[Account] = relationship(back_populates="profile")


labels = Table(
    "order_label",
    Base.metadata,
    Column("region", primary_key=True),
    Column("number", primary_key=True),
    Column("label_id", ForeignKey("label.id"), primary_key=True),
    ForeignKeyConstraint(["region", "number"], ["order.region", "order.number"]),
)


class Order(Base):
    __tablename__ = "order"
    __rls__: ClassVar[hedgerow.Scope] = hedgerow.Scope(owner_column="buyer")
    __table_args__ = (UniqueConstraint("buyer", "placed"),)

    region: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    buyer: Mapped[int] = mapped_column(ForeignKey("account.id"))
    gift_to: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    total: Mapped[float] = mapped_column(Numeric(10, 2))
    placed: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    labels: Mapped[list["Label"]] = relationship(secondary=labels, back_populates="orders")
    buyer_account: Mapped[Account] = relationship(foreign_keys=[buyer])


class Label(Base):
    __tablename__ = "label"

    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("label.id"), unique=True)
    elsewhere_id: Mapped[int | None] = mapped_column(ForeignKey("elsewhere.thing.id"))
    orders: Mapped[list[Order]] = relationship(secondary=labels, back_populates="labels")


# Unique for some rows only, or in an expression's value: neither makes the column unique.
Index("one_gift", Order.gift_to, unique=True, postgresql_where=Order.region == 1)
