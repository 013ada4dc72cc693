"""H123: an index on a scoped table that requests cannot use."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

_LEAKY = text("""
    SELECT i.indrelid AS table, x.oid::regclass::text AS name,
        format('%I.%I', n.nspname, x.relname) AS target
    FROM pg_index i
    JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = x.relnamespace
    JOIN pg_opclass o ON o.oid = i.indclass[0]
    WHERE i.indrelid = ANY(:tables) AND NOT i.indisunique AND NOT i.indisexclusion
      AND NOT EXISTS (
          SELECT FROM pg_amop a
          JOIN pg_operator op ON op.oid = a.amopopr
          JOIN pg_proc p ON p.oid = op.oprcode
          WHERE a.amopfamily = o.opcfamily AND a.amoplefttype = o.opcintype
            AND a.amoppurpose = 's' AND p.proleakproof)
    ORDER BY 2
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find indexes whose first column is compared by operators that might leak what they compare.

    Policies come first, and an operator that is not leakproof (of enum, numeric, jsonb, arrays,
    LIKE or full text) must not see a row before them: PostgreSQL never uses the index.
    """
    for index in inspection.application.execute(_LEAKY, {"tables": list(inspection.tables)}):
        table, scope = inspection.tables[index.table]
        deciding = scope.deciding_columns[:1]
        instead = f": lead with {deciding[0]!r} instead" if deciding else ""
        yield Finding(
            subject=index.name,
            sentence=f"Index {index.name!r} of table {table.fullname!r} cannot serve a request"
            f" under row security{instead}. It only makes writing slower.",
            fix=f"DROP INDEX {index.target};",
        )


CHECK = Check("H123", Level.WARNING, "Index not leakproof", find, pitfalls=("P47",))
