"""What `and_claim` asks is asked of everybody who reaches the rows."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from sqlalchemy import Boolean, Column, ForeignKey, Integer, MetaData, Table, Uuid, text

import hedgerow
from hedgerow import Identity, Scope
from hedgerow.errors import MISSING_IDENTITY
from tests.hedgerow.policies.playground import Playground, playground
from tests.support.databases import Database

ANN, BEN = UUID(int=1), UUID(int=2)


def tables() -> MetaData:
    """Return rows that are shared, or read by everybody, where a place is claimed; and children."""
    metadata = MetaData()
    shared = Scope("owner", shared_with="share").and_claim("place")
    read = Scope("owner", read="everyone").and_claim("place")
    for name, scope in {"page": shared, "sign": read}.items():
        columns = (Column("owner", Uuid), Column("place", Integer))
        table = Table(name, metadata, Column("id", Integer, primary_key=True), *columns)
        hedgerow.declare(table, scope)
        child = Table(
            f"{name}_line",
            metadata,
            Column("id", Integer, primary_key=True),
            Column(f"{name}_id", ForeignKey(f"{name}.id")),
        )
        hedgerow.declare(child, Scope.through(f"{name}_id"))
    share = Table(
        "share",
        metadata,
        Column("page_id", ForeignKey("page.id"), primary_key=True),
        Column("user_id", Uuid, primary_key=True),
        Column("can_write", Boolean),
    )
    hedgerow.declare(share, Scope.through("page_id"))
    return metadata


@pytest.fixture(scope="module")
def ground(database: Database) -> Iterator[Playground]:
    """Yield rows of Ann's at place 1, the page shared with Ben for writing."""
    with playground(database) as ground:
        ground.protect(tables())
        for table in ("page", "sign"):
            ground.owner.execute(
                text(f"INSERT INTO {table} (owner, place) VALUES (:ann, 1)"), {"ann": ANN}
            )
            ground.owner.execute(text(f"INSERT INTO {table}_line ({table}_id) VALUES (1)"))
        ground.owner.execute(text("INSERT INTO share VALUES (1, :ben, true)"), {"ben": BEN})
        yield ground


@pytest.mark.parametrize("table", ["page", "sign", "page_line", "sign_line"])
def test_rows_at_another_place_are_reached_by_nobody(ground: Playground, table: str) -> None:
    here, there = ({"place": place} for place in "12")
    read = f"SELECT FROM {table}"
    for person in (ANN, BEN):
        assert ground.attempt(Identity(person, claims=here), read) == 1
        assert ground.attempt(Identity(person, claims=there), read) == 0
        assert ground.attempt(Identity(person), read) == MISSING_IDENTITY


@pytest.mark.parametrize("table", ["page", "page_line"])
def test_whom_a_share_names_writes_at_the_place_alone(ground: Playground, table: str) -> None:
    write = f"UPDATE {table} SET id = id" if table == "page_line" else "UPDATE page SET place = 1"
    assert ground.attempt(Identity(BEN, claims={"place": "1"}), write) == 1
    assert ground.attempt(Identity(BEN, claims={"place": "2"}), write) == 0
