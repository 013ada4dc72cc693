"""H103: the application's role inherits an admin role."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow.checks.fixes import UPGRADE
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

_INHERITED = text("""
    SELECT rolname FROM pg_roles
    WHERE rolname = ANY(:admins) AND rolname <> session_user
      AND pg_has_role(session_user, oid, 'USAGE')
    ORDER BY rolname
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find admin roles whose policies apply to every ordinary request.

    A plain `GRANT rls_admin TO app` inherits by default, and then the plan of the user's own list
    has no filter at all.
    """
    login = inspection.login
    if login.rolsuper:
        return  # H101 reports it
    roles = inspection.row_security.roles
    admins = [roles.admin, roles.read_only_admin]
    for group in inspection.application.scalars(_INHERITED, {"admins": admins}):
        yield Finding(
            subject=group,
            sentence=f"{login.rolname!r} inherits {group!r}: its policies apply to every request,"
            " so a user may come to see every row.",
            fix=UPGRADE
            if login.rolname == roles.app
            else f"Log in as {roles.app!r} (RLS_APP_USER).",
        )


CHECK = Check("H103", Level.ERROR, "Inherited admin role", find, pitfalls=("P2",), at_start_up=True)
