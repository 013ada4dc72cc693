"""H124: no index leads with the owner of a scoped table."""

from collections.abc import Iterator

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.checks.owner_indexes import tables_without_owner_index
from hedgerow.findings import Finding, Level
from hedgerow.policies.policy import policy_name


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find scoped tables in which a user's rows can only be found by reading everybody's.

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
            " reads every user's rows, and anybody can slow everybody down.",
            fix=f"CREATE INDEX {name} ON {target} ({sql.name(column)});",
        )


CHECK = Check("H124", Level.WARNING, "No index on the owner", find, pitfalls=("P49",))
