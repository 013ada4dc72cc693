"""H115: a role has a privilege on a scoped table that policies do not filter."""

from collections import defaultdict
from collections.abc import Iterator

from hedgerow import sql
from hedgerow.catalogs.privileges import relation_privileges
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

UNFILTERED = ("TRUNCATE", "REFERENCES", "TRIGGER", "MAINTAIN")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find TRUNCATE, REFERENCES, TRIGGER and MAINTAIN on scoped tables.

    `GRANT ALL` includes them. TRUNCATE empties the table for every user; a foreign key tells which
    hidden rows exist; a trigger runs as the next role that writes.
    """
    roles = inspection.row_security.roles
    asked = {"public", *inspection.reach, roles.app, *roles.taken}
    found: defaultdict[tuple[int, str], set[str]] = defaultdict(set)
    for one in relation_privileges(inspection.application, list(inspection.live_tables)):
        if one.privilege in UNFILTERED and one.role in asked and not one.is_owner:
            found[one.oid, one.role].add(one.privilege)
    for (oid, role), unfiltered in found.items():
        table, _ = inspection.tables[oid]
        privileges = ", ".join(sorted(unfiltered))
        target = sql.table_name(table.name, table.schema)
        yield Finding(
            subject=f"{table.fullname} {role}",
            sentence=f"{role!r} has {privileges} on table {table.fullname!r}: policies do not"
            " filter what that does to other users' rows.",
            fix=f"REVOKE {privileges} ON {target} FROM {sql.role_name(role)};",
        )


CHECK = Check("H115", Level.ERROR, "Privilege not filtered by RLS", find, pitfalls=("P9",))
