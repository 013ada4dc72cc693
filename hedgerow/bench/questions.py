"""What is measured: the table as the catalogs have it, a typical owner, and the statements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    and_,
    func,
    literal,
    or_,
    select,
    tablesample,
    text,
    true,
    tuple_,
)
from sqlalchemy.dialects import postgresql

from hedgerow import sql
from hedgerow.config.identity import UserId
from hedgerow.policies.keys import Key, key_to_parent
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import share_function

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
COUNT, FIRST_PAGE, BY_ID = OPERATIONS = ("count", "first page", "get by id")


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

    A child's owner is its parent's. Of a large table a sample of blocks is read, the same in each
    run, so that this takes no longer than it does in a small one. `owner` must see every row.
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
class Question:
    """One statement as requests send it, and with an explicit condition, such as a join."""

    operation: str
    plain: Select[Any]
    by_hand: Select[Any] | None
    order: str | None = None


def count(table: Table, mine: ColumnElement[bool] | None) -> Question:
    """Ask how many rows the user has."""
    return _question(COUNT, select(func.count()).select_from(table), mine)


def first_page(
    table: Table, mine: ColumnElement[bool] | None, order: Sequence[ColumnElement[Any]]
) -> Question:
    """Ask for the user's first rows, in an order."""
    page = select(table).order_by(*order).limit(PAGE)
    return _question(FIRST_PAGE, page, mine, ", ".join(map(_spelled, order)))


def by_id(table: Table, mine: ColumnElement[bool] | None, key: Sequence[Any]) -> Question:
    """Ask for one row of the user's."""
    columns = table.primary_key.columns
    pairs = [column == value for column, value in zip(columns, key, strict=True)]
    return _question(BY_ID, select(table).where(*pairs), mine)


def seen_by(table: Table, user: UserId) -> ColumnElement[bool] | None:
    """Return the condition that an application without row security writes, to read as `user`.

    None where the declaration gives none: nobody but admins reads, or policies of its own decide.
    """
    scope = scope_of(table)
    if not isinstance(scope, Scope):
        return None
    if scope.read == "everyone":
        return true()
    if scope.parents:
        through = [_through(key_to_parent(table, column), user) for column in scope.parents]
        parts = [part for part in through if part is not None]
        return and_(*parts) if len(parts) == len(through) else None
    if scope.owner_column is None:
        return None
    own = table.c[scope.owner_column] == user
    shares = share_function(table, scope)
    if shares is None:
        return own
    holder = table.metadata.tables[
        f"{shares.schema}.{shares.table}" if shares.schema else shares.table
    ]
    shared = select(holder.c[shares.key]).where(holder.c[shares.user] == user)
    return or_(own, table.c[shares.shared_key].in_(shared))


def _through(key: Key, user: UserId) -> ColumnElement[bool] | None:
    """Return the semi-join with a parent that a hand-written query has."""
    mine = seen_by(key.parent, user)
    if mine is None:
        return None
    parent_columns = [key.parent.c[column] for column in key.parent_columns]
    columns = [element.parent for element in key.constraint.elements]
    left = columns[0] if len(columns) == 1 else tuple_(*columns)
    return left.in_(select(*parent_columns).where(mine))


def owner_of(table: Table, row: FromClause) -> ColumnElement[Any] | None:
    """Return the owner of a `row` of `table`, or of the first of its parents that has one.

    None where no column names an owner.
    """
    scope = scope_of(table)
    if not isinstance(scope, Scope):
        return None
    if scope.owner_column is not None:
        return row.c[scope.owner_column]
    for column in scope.parents:
        key = key_to_parent(table, column)
        parent = key.parent.alias()
        owner = owner_of(key.parent, parent)
        if owner is not None:
            pairs = zip(key.columns, key.parent_columns, strict=True)
            joined = (parent.c[theirs] == row.c[ours] for ours, theirs in pairs)
            return select(owner).where(*joined).scalar_subquery()
    return None


def _question(
    operation: str,
    statement: Select[Any],
    mine: ColumnElement[bool] | None,
    order: str | None = None,
) -> Question:
    by_hand = None if mine is None else statement.where(mine)
    return Question(operation, statement, by_hand, order)


def _spelled(element: ColumnElement[Any]) -> str:
    """Return a part of ORDER BY, without the table's name."""
    compiled = element.compile(
        dialect=postgresql.dialect(),  # type: ignore[no-untyped-call]
        compile_kwargs={"include_table": False},
    )
    return str(compiled)
