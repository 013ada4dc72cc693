"""Pages with policies of their own, as SQL text and as SQLAlchemy expressions."""

from uuid import UUID

from sqlalchemy import ForeignKey, Table, not_
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.sql import ColumnElement

from hedgerow import Policy, Scope, exempt


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__ = exempt("signing in must find every account")
    id: Mapped[UUID] = mapped_column(primary_key=True)


def unlocked(page: Table) -> ColumnElement[bool]:
    return not_(page.c.locked)


class Page(Base):
    __tablename__ = "page"
    __rls__ = Scope(
        policies=(
            Policy("page_published", "SELECT", using="published"),
            Policy("page_unlocked", "UPDATE", using=unlocked, permissive=False),
            Policy("page_titled", "INSERT", with_check="title <> ''", permissive=False),
        )
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
    title: Mapped[str]
    published: Mapped[bool]
    locked: Mapped[bool]
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)


class Notice(Base):
    __tablename__ = "notice"
    __rls__ = Scope(unmanaged=frozenset({"notice_of_the_day"}))
    id: Mapped[UUID] = mapped_column(primary_key=True)
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id"), index=True)
