"""H102: the application logs in as a role that owns scoped tables."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

_OWNER = text("""
    SELECT pg_get_userbyid(relowner) AS owner, pg_has_role(session_user, relowner, 'MEMBER') AS ours
    FROM pg_class WHERE oid = to_regclass(:table)
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find tables that the login owns, or whose owner it may become.

    Without FORCE the owner goes round the policies; with it the owner can still drop them.
    """
    login = inspection.login
    if login.rolsuper:
        return  # H101 says it already, and a superuser is a member of every role
    for table, _ in inspection.scoped:
        target = sql.table_name(table.name, table.schema)
        row = inspection.application.execute(_OWNER, {"table": target}).one_or_none()
        if row is None or not row.ours:
            continue
        yield Finding(
            subject=table.fullname,
            sentence=f"The application logs in as {login.rolname!r}, which is the owner of table"
            f" {table.fullname!r} or may become it ({row.owner!r}): injected SQL can switch its row"
            " security off.",
            fix=(
                f"ALTER TABLE {target} OWNER TO {sql.name(inspection.owner_name)};"
                if row.owner == login.rolname
                else f"REVOKE {sql.name(row.owner)} FROM {sql.name(login.rolname)};"
            ),
        )


CHECK = Check("H102", Level.ERROR, "Owning login", find, pitfalls=("P1",), at_start_up=True)
