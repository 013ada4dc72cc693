"""What is measured: the table as the catalogs have it, a typical owner, and the statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    func,
    literal,
    select,
    tablesample,
    text,
)
from sqlalchemy.dialects import postgresql

from hedgerow import sql
from hedgerow.bench.by_hand import owner_of
from hedgerow.config.identity import UserId

_FACTS = text("""
    WITH part AS (
        SELECT oid FROM pg_class WHERE oid = to_regclass(:name)
        UNION SELECT relid FROM pg_partition_tree(to_regclass(:name))
    )
    SELECT to_regclass(:name)::oid::bigint AS oid,
        coalesce(array_agg(n.nspname || '.' || c.relname), '{}') AS parts,
        coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint AS rows,
        coalesce(sum(pg_relation_size(c.oid)), 0)::bigint
            / current_setting('block_size')::bigint AS blocks,
        coalesce(bool_or(c.reltuples < 0), false) AS never_analyzed,
        coalesce(sum(pg_stat_get_mod_since_analyze(c.oid)), 0)::bigint AS changed,
        row_security_active(to_regclass(:name)) AS owner_is_filtered
    FROM part
    JOIN pg_class c ON c.oid = part.oid AND c.relkind <> 'p'
    JOIN pg_namespace n ON n.oid = c.relnamespace
""")

_INDEXES = text("""
    SELECT i.indoption::int2[] AS options, ARRAY(
        SELECT a.attname::text
        FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k (number, position)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number
        WHERE k.position <= i.indnkeyatts ORDER BY k.position) AS columns
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_am m ON m.oid = x.relam
    WHERE i.indrelid = :table AND m.amname = 'btree' AND i.indnkeyatts > 1
      AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL
    ORDER BY i.indnkeyatts DESC, x.relname
""")

_DESCENDING, _NULLS_FIRST = 1, 2  # pg_index.indoption
_SAMPLED_BLOCKS = 500
PAGE = 20
COUNT, FIRST_PAGE, OF_ONE, BY_ID = OPERATIONS = (
    "count",
    "first page",
    "of one tenant",
    "get by id",
)
"""What is asked of a table; a page of one tenant only where rows are of tenants."""


@dataclass(frozen=True)
class Facts:
    """A table as the catalogs have it; `rows` is an estimate, `parts` are its partitions' names."""

    oid: int
    parts: frozenset[str]
    rows: int
    blocks: int
    never_analyzed: bool
    changed: int
    owner_is_filtered: bool


def facts_of(owner: Connection, table: Table) -> Facts | None:
    """Return the facts, or None where there is no such table."""
    name = sql.table_name(table.name, table.schema)
    row = owner.execute(_FACTS, {"name": name}).mappings().one()
    if row["oid"] is None:
        return None
    return Facts(**{**row, "parts": frozenset(row["parts"])})


def order_after(
    owner: Connection, facts: Facts, table: Table, column: str
) -> list[ColumnElement[Any]] | None:
    """Return the order in which the longest index that leads with `column` has one owner's rows.

    None where no index leads with the column and goes on.
    """
    columns = {each.name: each for each in table.columns}
    for index in owner.execute(_INDEXES, {"table": facts.oid}):
        leading, *others = index.columns
        if leading == column and all(name in columns for name in others):
            options = index.options[1:]
            return [
                _ordered(columns[name], option)
                for name, option in zip(others, options, strict=False)
            ]
    return None


def _ordered(column: ColumnElement[Any], option: int) -> ColumnElement[Any]:
    descending, nulls_first = bool(option & _DESCENDING), bool(option & _NULLS_FIRST)
    ordered = column.desc() if descending else column
    if nulls_first is descending:  # which is PostgreSQL's default
        return ordered
    return ordered.nulls_first() if nulls_first else ordered.nulls_last()


def typical_owner(owner: Connection, facts: Facts, table: Table) -> UserId | None:
    """Return the owner with the median number of rows, or None where no row has an owner.

    A child's owner is its parent's, that of a tenant's row is one of its members. Of a large table
    a sample of blocks is read, the same in each run, so that this takes no longer than it does in a
    small one. `owner` must see every row.
    """
    percent = min(100.0, 100.0 * _SAMPLED_BLOCKS / max(facts.blocks, 1))
    sample = tablesample(table, func.system(percent), name="sample", seed=literal(1))
    in_sample, anywhere = owner_of(table, sample), owner_of(table, table)
    if in_sample is None or anywhere is None:
        return None
    owners = select(in_sample.label("owner")).select_from(sample).subquery()
    counted = (
        select(owners.c.owner, func.count().label("rows"))
        .where(owners.c.owner.is_not(None))
        .group_by(owners.c.owner)
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
        any_owner = select(anywhere).select_from(table).where(anywhere.is_not(None)).limit(1)
        found = owner.scalar(any_owner)
    return found  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Mine:
    """The condition that a hand writes; in a table of tenants also that of a join."""

    by_hand: ColumnElement[bool] | None
    joined: ColumnElement[bool] | None = None


@dataclass(frozen=True)
class Question:
    """One statement as requests send it, and with an explicit condition, such as a join."""

    operation: str
    plain: Select[Any]
    by_hand: Select[Any] | None
    joined: Select[Any] | None
    order: str | None = None


def count(table: Table, mine: Mine) -> Question:
    """Ask how many rows the user has."""
    return _question(COUNT, select(func.count()).select_from(table), mine)


def first_page(table: Table, mine: Mine, order: Sequence[ColumnElement[Any]]) -> Question:
    """Ask for the user's first rows, in an order."""
    return _question(FIRST_PAGE, _page(table, order), mine, ", ".join(map(_spelled, order)))


def page_of_one(
    table: Table, mine: Mine, order: Sequence[ColumnElement[Any]], of_one: ColumnElement[bool]
) -> Question:
    """Ask for the first rows of one of the user's tenants, in an order."""
    page = _page(table, order).where(of_one)
    return _question(OF_ONE, page, mine, ", ".join(map(_spelled, order)))


def _page(table: Table, order: Sequence[ColumnElement[Any]]) -> Select[Any]:
    return select(table).order_by(*order).limit(PAGE)


def by_id(table: Table, mine: Mine, key: Sequence[Any]) -> Question:
    """Ask for one row of the user's."""
    columns = table.primary_key.columns
    pairs = [column == value for column, value in zip(columns, key, strict=True)]
    return _question(BY_ID, select(table).where(*pairs), mine)


def _question(
    operation: str, statement: Select[Any], mine: Mine, order: str | None = None
) -> Question:
    by_hand, joined = (
        None if condition is None else statement.where(condition)
        for condition in (mine.by_hand, mine.joined)
    )
    return Question(operation, statement, by_hand, joined, order)


def _spelled(element: ColumnElement[Any]) -> str:
    """Return a part of ORDER BY, without the table's name."""
    compiled = element.compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"include_table": False},
    )
    return str(compiled)
