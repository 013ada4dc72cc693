"""H119: the login reads the whole server's statistics."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

_MEMBERS = text("""
    SELECT r.rolname AS group, m.rolname AS member
    FROM pg_auth_members a
    JOIN pg_roles r ON r.oid = a.roleid
    JOIN pg_roles m ON m.oid = a.member
    WHERE m.rolname = ANY(:reach) AND m.rolname NOT LIKE 'pg\\_%'
      AND pg_has_role(r.oid, 'pg_read_all_stats', 'MEMBER') AND r.rolname LIKE 'pg\\_%'
    ORDER BY 1, 2
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find a login that may read other sessions' statements and every table's statistics.

    Every role can read how many rows a table has (`pg_class.reltuples`); nothing prevents that.
    `pg_read_all_stats` shows more: the text of statements that run for other users, values and all.
    """
    for row in inspection.application.execute(_MEMBERS, {"reach": inspection.reach}):
        yield Finding(
            subject=row.group,
            sentence=f"{row.member!r} is a member of {row.group!r}: injected SQL reads other users'"
            " statements, and the whole server's statistics.",
            fix=f"REVOKE {sql.name(row.group)} FROM {sql.name(row.member)};",
        )


CHECK = Check("H119", Level.NOTE, "Access to statistics", find, pitfalls=("P34",))
