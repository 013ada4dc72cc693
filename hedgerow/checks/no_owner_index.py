"""H124: no index leads with the column that decides whose a row is."""

from collections.abc import Iterable, Iterator, Set

from sqlalchemy import Table, text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.policies.policy import policy_name
from hedgerow.policies.scope import Scope

_LED_BY = text("""
    SELECT i.indrelid AS table, a.attname AS column
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = ANY(:tables) AND i.indisvalid AND i.indpred IS NULL
""")

_DECLARE_TOO = " Give the column index=True in its model, too: a revision drops what no model has."


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find scoped tables in which a user's rows can only be found by reading every user's.

    Every statement of every request compares the owner, the tenant or the key to the parent, or
    looks for the memberships of the user and what is shared. An index on `created_at` alone, which
    a list needed before there were users, helps none of them.
    """
    indexed = _leading_columns(inspection)
    for oid, (table, scope) in inspection.tables.items():
        shared_with = ((column,) for column in _users_of_shares(inspection, table))
        for column in _missing(oid, (*_deciding(scope), *shared_with), indexed):
            target = sql.table_name(table.name, table.schema)
            name = sql.name(policy_name(f"ix_{table.name}", column))
            yield Finding(
                subject=table.fullname
                if column == scope.owner_column
                else f"{table.fullname}.{column}",
                sentence=f"No index of table {table.fullname!r} leads with {column!r}: each request"
                f" reads every {'tenant' if scope.tenant_rows else 'user'}'s rows, and one user can"
                " slow all users down."
                f"{'' if is_declared(table, column) else _DECLARE_TOO}",
                fix=f"CREATE INDEX {name} ON {target} ({sql.name(column)});",
            )


def unindexed_columns(inspection: Inspection) -> dict[int, list[str]]:
    """Return, by the oid of its table, each deciding column that no whole, valid index leads with.

    Those are the owner's, the tenant's, and the keys to the parents.
    """
    indexed = _leading_columns(inspection)
    missing = {
        oid: list(_missing(oid, _deciding(scope), indexed))
        for oid, (_, scope) in inspection.tables.items()
    }
    return {oid: columns for oid, columns in missing.items() if columns}


def is_declared(table: Table, column: str) -> bool:
    """Return whether the model has an index that leads with the column."""
    return any(index.columns.keys()[:1] == [column] for index in table.indexes)


def _leading_columns(inspection: Inspection) -> set[tuple[int, str]]:
    rows = inspection.application.execute(_LED_BY, {"tables": list(inspection.tables)})
    return {(row.table, row.column) for row in rows}


def _missing(
    oid: int, deciding: Iterable[tuple[str, ...]], indexed: Set[tuple[int, str]]
) -> Iterator[str]:
    """Yield the first of each columns of which one would do, where none has an index."""
    for columns in deciding:
        if not any((oid, column) in indexed for column in columns):
            yield columns[0]


def _deciding(scope: Scope) -> Iterator[tuple[str, ...]]:
    """Yield columns by which rows are found, together those of which one index is enough.

    What else must hold of a row filters those of one tenant, of one user, or of one parent.
    """
    if scope.owner_column is not None:
        yield (scope.owner_column,)
    for column in scope.parents:
        yield (column,)
    also = scope.also_owner
    if scope.tenant_rows is not None and scope.tenant_rows.column is not None:
        own = (also.column,) if also is not None and also.to_read else ()
        yield (scope.tenant_rows.column, *own)
    elif scope.member_rows is not None:
        yield (scope.member_rows.user,)
        yield (scope.member_rows.tenant,)
    elif scope.claims and not (scope.owner_column or scope.parents):
        yield (*((also.column,) if also and also.to_read else ()), *scope.claims)


def _users_of_shares(inspection: Inspection, table: Table) -> Iterator[str]:
    """Yield the column by which shares are found, where the rows of `table` are such."""
    functions = inspection.share_functions.values()
    yield from dict.fromkeys(shares.user for shares in functions if shares.is_table(table))


CHECK = Check("H124", Level.WARNING, "Missing owner index", find, pitfalls=("P49",))
