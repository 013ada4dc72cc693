"""H115: somebody has a privilege on a scoped table that policies do not filter."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

UNFILTERED = ("TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")

_GRANTS = text("""
    SELECT c.oid, coalesce(r.rolname, 'public') AS role,
        array_agg(DISTINCT acl.privilege_type ORDER BY acl.privilege_type) AS privileges
    FROM pg_class c
    LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
    CROSS JOIN LATERAL aclexplode(c.relacl || a.attacl) AS acl
    LEFT JOIN pg_roles r ON r.oid = acl.grantee
    WHERE c.oid = ANY(:tables) AND acl.grantee <> c.relowner
      AND acl.privilege_type = ANY(:unfiltered)
      AND (acl.grantee = 0 OR r.rolname = ANY(:roles))
    GROUP BY c.oid, r.rolname ORDER BY c.relname, 2
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find TRUNCATE, REFERENCES, TRIGGER and MAINTAIN on scoped tables.

    `GRANT ALL` holds them. TRUNCATE empties the table for everybody; a foreign key tells which
    hidden rows exist; a trigger runs as whoever writes next.
    """
    roles = inspection.row_security.roles
    asked = {*inspection.reach, roles.app, roles.admin, roles.read_only_admin}
    for grant in inspection.application.execute(
        _GRANTS,
        {"tables": list(inspection.tables), "unfiltered": list(UNFILTERED), "roles": list(asked)},
    ):
        table, _ = inspection.tables[grant.oid]
        privileges = ", ".join(grant.privileges)
        target = sql.table_name(table.name, table.schema)
        yield Finding(
            subject=f"{table.fullname} {grant.role}",
            sentence=f"{grant.role!r} has {privileges} on table {table.fullname!r}: no policy"
            " filters what that does to every user's rows.",
            fix=f"REVOKE {privileges} ON {target} FROM {sql.role_name(grant.role)};",
        )


CHECK = Check("H115", Level.ERROR, "Unfiltered privilege", find, pitfalls=("P9",))
