"""Whose rows to measure with: a user who owns neither everything nor next to nothing."""

from typing import Any

from sqlalchemy import Connection, Table, func, literal, select, tablesample

from hedgerow.bench.facts import Facts
from hedgerow.config.identity import UserId

_SAMPLED_BLOCKS = 500


def typical_owner(owner: Connection, facts: Facts, table: Table, column: str) -> UserId | None:
    """Return the owner with the median number of rows, or None where no row has an owner.

    Of a large table a sample of blocks is read, the same in each run, so that this takes no longer
    than it does in a small one. `owner` must see every row.
    """
    percent = min(100.0, 100.0 * _SAMPLED_BLOCKS / max(facts.blocks, 1))
    sample = tablesample(table, func.system(percent), name="sample", seed=literal(1))
    owners = sample.c[column]
    counted = (
        select(owners.label("owner"), func.count().label("rows"))
        .where(owners.is_not(None))
        .group_by(owners)
        .subquery()
    )
    ranked = select(
        counted.c.owner,
        func.row_number().over(order_by=(counted.c.rows, counted.c.owner)).label("position"),
        func.count().over().label("owners"),
    ).subquery()
    median = select(ranked.c.owner).where(ranked.c.position == (ranked.c.owners + 1) // 2)
    found: Any = owner.scalar(median)
    if found is None:  # every block of the sample was empty
        any_owner = select(table.c[column]).where(table.c[column].is_not(None)).limit(1)
        found = owner.scalar(any_owner)
    return found  # type: ignore[no-any-return]
