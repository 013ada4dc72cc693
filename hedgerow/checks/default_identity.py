"""H116: a default of the role or the database gives every session an identity."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.config.identity import ROLE_SETTING, SIGNATURE_SETTING, USER_ID_SETTING
from hedgerow.findings import Finding, Level

_PLANTABLE = (USER_ID_SETTING, ROLE_SETTING, SIGNATURE_SETTING, "role", "row_security")

_DEFAULTS = text("""
    SELECT r.rolname AS role, d.datname AS database, lower(split_part(setting, '=', 1)) AS name
    FROM pg_db_role_setting s
    LEFT JOIN pg_roles r ON r.oid = s.setrole
    LEFT JOIN pg_database d ON d.oid = s.setdatabase
    CROSS JOIN LATERAL unnest(s.setconfig) AS setting
    WHERE (s.setrole = 0 OR r.rolname = session_user)
      AND (s.setdatabase = 0 OR d.datname = current_database())
      AND lower(split_part(setting, '=', 1)) = ANY(:names)
    ORDER BY 1, 2, 3
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find `ALTER ROLE ... SET` and `ALTER DATABASE ... SET` for what identifies a request.

    With a default for `app.user_id`, a request that forgot its identity is not refused: it is that
    user. With one for `role`, every request begins as an admin.
    """
    for row in inspection.application.execute(_DEFAULTS, {"names": list(_PLANTABLE)}):
        whose = _spell(row.role, row.database)
        yield Finding(
            subject=f"{whose} {row.name}",
            sentence=f"{whose} has a default for {row.name!r}: a request without an identity is"
            " taken for a user, or policies do not decide as they should.",
            fix=f"ALTER {whose} RESET {row.name};",
        )


def _spell(role: str | None, database: str | None) -> str:
    """Return what ALTER calls it: `ROLE app`, `ROLE app IN DATABASE db`, `DATABASE db`."""
    if role is None and database is not None:
        return f"DATABASE {sql.name(database)}"
    whose = f"ROLE {sql.name(role)}" if role is not None else "ROLE ALL"
    return whose if database is None else f"{whose} IN DATABASE {sql.name(database)}"


CHECK = Check(
    "H116", Level.ERROR, "Identity set by default", find, pitfalls=("P10", "P16"), at_start_up=True
)
