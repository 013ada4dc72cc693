"""What the catalogs know of a table: its size, its parts, and in which order an index has rows."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, text

from hedgerow import sql

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
