"""H102: the application logs in as a role that owns scoped tables."""

from collections.abc import Iterator

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find tables that the login owns, or whose owner it may become.

    Without FORCE the owner bypasses the policies; with it the owner can still drop them.
    """
    login = inspection.login
    if login.rolsuper:
        return  # H101 reports it, and a superuser is a member of every role
    for target, live in inspection.live_tables.items():
        if live.owner not in inspection.reach:
            continue
        table, _ = inspection.tables[live.oid]
        yield Finding(
            subject=table.fullname,
            sentence=f"The application logs in as {login.rolname!r}, which is the owner of table"
            f" {table.fullname!r} or may become it ({live.owner!r}): injected SQL can switch its"
            " row security off.",
            fix=(
                f"ALTER TABLE {target} OWNER TO {sql.name(inspection.owner_name)};"
                if live.owner == login.rolname
                else f"REVOKE {sql.name(live.owner)} FROM {sql.name(login.rolname)};"
            ),
        )


CHECK = Check("H102", Level.ERROR, "Login owns tables", find, pitfalls=("P1",), at_start_up=True)
