"""The tables that are measured, shaped as the application's, and the rows in them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy import URL, ForeignKey, Index, NullPool, Table, Uuid, create_engine, select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateTable

import hedgerow
from benchmarks.server import autocommitting, create_database, run

ROWS_PER_OWNER = 100
PAGE = 20
MATCHING = "%Invoice%"
_MATCHING_EVERY = 10


class Base(DeclarativeBase):
    pass


class User(Base):
    __tablename__ = "user"
    __rls__: ClassVar[hedgerow.Exempt] = hedgerow.exempt("Users are looked up before they sign in.")

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)


class Item(Base):
    __tablename__ = "item"
    __rls__: ClassVar[hedgerow.Scope] = hedgerow.Scope()

    title: Mapped[str] = mapped_column(sa.String(255))
    description: Mapped[str | None] = mapped_column(sa.String(255))
    owner_id: Mapped[UUID] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))


ITEM: Table = Item.metadata.tables["item"]
Index("ix_item_owner_id_created_at_id", ITEM.c.owner_id, ITEM.c.created_at.desc(), ITEM.c.id.desc())

# A user's rows lie scattered over the table, as they do where many users write at the same time.
_FILL = (
    """INSERT INTO "user" SELECT md5('user ' || n)::uuid FROM generate_series(0, :owners - 1) n""",
    """INSERT INTO item (id, owner_id, title, description, created_at)
    SELECT md5('item ' || n)::uuid, md5('user ' || n % :owners)::uuid,
        CASE WHEN n / :owners % :matching = 0 THEN 'Invoice ' ELSE 'Note ' END || n,
        repeat('What it is about. ', 3), timestamptz '2026-01-01 00:00Z' + n * interval '1 second'
    FROM generate_series(0, :rows - 1) n""",
)


@dataclass(frozen=True)
class Data:
    """The number of rows, the user whom the run asks for, and that user's rows, newest first.

    Rows are as an INSERT takes them. `foreign` is the id of another user's row.
    """

    rows: int
    user: UUID
    own: tuple[dict[str, Any], ...]
    foreign: UUID


def make_data(server: URL, name: str, rows: int) -> Data:
    """Create the database `name` with `rows` items of `rows / 100` users, without row security."""
    url = create_database(server, name)
    owners = max(rows // ROWS_PER_OWNER, 2)
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(CreateTable(Base.metadata.tables["user"]))
        connection.execute(CreateTable(ITEM))
        # Ten million foreign keys need no check, and indexes are quicker made afterwards.
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        values = {"rows": rows, "owners": owners, "matching": _MATCHING_EVERY}
        for statement in _FILL:
            connection.execute(text(statement), values)
        for index in ITEM.indexes:
            index.create(connection)
    run(url, 'VACUUM (ANALYZE, FREEZE) item, "user"')
    with autocommitting(url) as connection:
        user = connection.scalar(text("SELECT md5('user ' || :n)::uuid"), {"n": owners // 2})
        mine = ITEM.c.owner_id == user
        own = select(ITEM).where(mine).order_by(ITEM.c.created_at.desc(), ITEM.c.id.desc())
        foreign = connection.scalars(select(ITEM.c.id).where(~mine).limit(1)).one()
        return Data(rows, user, tuple(map(dict, connection.execute(own).mappings())), foreign)
