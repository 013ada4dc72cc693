"""One policy of a page's is lost, one changed, one new; greetings have no owner's policies."""

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


def titled(page: Table) -> ColumnElement[bool]:
    return page.c.title.like("%_") & page.c.title.is_not(None)


class Page(Base):
    __tablename__ = "page"
    __rls__ = Scope(
        policies=(
            Policy("page_unlocked", "UPDATE", using=unlocked, permissive=False),
            Policy("page_titled", "INSERT", with_check=titled, permissive=False),
            Policy("page_kept", "DELETE", using="NOT published", permissive=False),
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


class Greeting(Base):
    __tablename__ = "greeting"
    __rls__ = Scope(
        owner_column=None,
        policies=(Policy("greeting_read", "SELECT", using="rls.role() = 'user'"),),
    )
    id: Mapped[UUID] = mapped_column(primary_key=True)
