"""H124: no index leads with the owner of a scoped table."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.policies.policy import policy_name

_LED_BY = text("""
    SELECT i.indrelid AS table, a.attname AS column
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = ANY(:tables) AND i.indisvalid AND i.indpred IS NULL
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find scoped tables in which a user's rows can only be found by reading every user's.

    Every statement of every request compares the owner. An index on `created_at` alone, which a
    list needed before there were users, helps none of them.
    """
    for oid in tables_without_owner_index(inspection):
        table, scope = inspection.tables[oid]
        column = scope.owner_column or ""
        target = sql.table_name(table.name, table.schema)
        name = sql.name(policy_name(f"ix_{table.name}", column))
        yield Finding(
            subject=table.fullname,
            sentence=f"No index of table {table.fullname!r} leads with {column!r}: each request"
            " reads every user's rows, and one user can slow all users down.",
            fix=f"CREATE INDEX {name} ON {target} ({sql.name(column)});",
        )


def tables_without_owner_index(inspection: Inspection) -> list[int]:
    """Return the oids of scoped tables with an owner that no whole and valid index leads with."""
    rows = inspection.application.execute(_LED_BY, {"tables": list(inspection.tables)})
    indexed = {(row.table, row.column) for row in rows}
    return [
        oid
        for oid, (_, scope) in inspection.tables.items()
        if scope.owner_column is not None and (oid, scope.owner_column) not in indexed
    ]


CHECK = Check("H124", Level.WARNING, "Missing owner index", find, pitfalls=("P49",))
