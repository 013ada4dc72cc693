"""In which order a revision drops tables."""

from alembic.operations.ops import DropIndexOp, DropTableOp, ModifyTableOps
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

from hedgerow.migrations.drops import drops_last


def table(metadata: MetaData, name: str, *parents: str, schema: str | None = None) -> DropTableOp:
    keys: list[Column[int]] = [
        Column(f"to_{n}", ForeignKey(parent)) for n, parent in enumerate(parents)
    ]
    columns = (Column("id", Integer, primary_key=True), *keys)
    return DropTableOp.from_table(Table(name, metadata, *columns, schema=schema))


def test_children_before_parents_and_all_after_what_stays() -> None:
    """P61: whatever the order in which Alembic found them."""
    metadata = MetaData()
    item = table(metadata, "item", "item.id")
    comment = table(metadata, "comment", "item.id", "user.id", schema="talk")
    reply = table(metadata, "reply", "talk.comment.id")
    index = ModifyTableOps("comment", [DropIndexOp("ix", "comment", schema="talk")], schema="talk")
    stays = ModifyTableOps("ticket", [])
    for found in ([item, index, comment, reply, stays], [index, reply, comment, stays, item]):
        assert drops_last(found) == [stays, reply, index, comment, item]


def test_tables_that_refer_to_each_other_have_no_order() -> None:
    metadata = MetaData()
    chicken, egg = table(metadata, "chicken", "egg.id"), table(metadata, "egg", "chicken.id")
    assert drops_last([chicken, egg]) == [chicken, egg]
