"""Which scoped tables have no index that leads with their owner."""

from sqlalchemy import text

from hedgerow.checks.inspection import Inspection

_LED_BY = text("""
    SELECT i.indrelid AS table, a.attname AS column
    FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = ANY(:tables) AND i.indisvalid AND i.indpred IS NULL
""")


def tables_without_owner_index(inspection: Inspection) -> list[int]:
    """Return the oids of scoped tables with an owner that no whole and valid index leads with."""
    rows = inspection.application.execute(_LED_BY, {"tables": list(inspection.tables)})
    indexed = {(row.table, row.column) for row in rows}
    return [
        oid
        for oid, (_, scope) in inspection.tables.items()
        if scope.owner_column is not None and (oid, scope.owner_column) not in indexed
    ]
