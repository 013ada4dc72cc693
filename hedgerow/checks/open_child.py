"""H114: a partition or child of a scoped table can be used directly, without its policies."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow.checks.grants import revoke_statement
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

_CHILDREN = text("""
    WITH RECURSIVE child AS (
        SELECT inhrelid AS oid, inhparent AS root FROM pg_inherits WHERE inhparent = ANY(:tables)
        UNION
        SELECT i.inhrelid, child.root FROM child JOIN pg_inherits i ON i.inhparent = child.oid
    )
    SELECT DISTINCT c.oid::regclass::text AS name, format('%I.%I', n.nspname, c.relname) AS target,
        child.root::regclass::text AS parent
    FROM child JOIN pg_class c ON c.oid = child.oid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE NOT c.relrowsecurity AND c.oid <> ALL(:tables) AND EXISTS (
        SELECT FROM unnest(CAST(:reach AS name[])) AS role
        WHERE has_schema_privilege(role, n.oid, 'USAGE')
          AND (has_any_column_privilege(role, c.oid, 'SELECT, INSERT, UPDATE')
               OR has_table_privilege(role, c.oid, 'DELETE')))
    ORDER BY 1
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find children that the login may use by name and that have no row security of their own.

    Policies are the named table's: `SELECT * FROM item_2026` asks nobody, while the same rows read
    through `item` are filtered. `GRANT ... ON ALL TABLES IN SCHEMA` opens every partition.
    """
    if inspection.login.rolsuper:
        return  # H101 says it already
    for child in inspection.application.execute(
        _CHILDREN, {"tables": list(inspection.tables), "reach": inspection.reach}
    ):
        yield Finding(
            subject=child.name,
            sentence=f"{child.name!r} is a part of {child.parent!r} without row security of its"
            " own: whoever names it sees every user's rows.",
            fix=revoke_statement(inspection, child.target),
        )


CHECK = Check("H114", Level.ERROR, "Open partition", find, pitfalls=("P8",))
