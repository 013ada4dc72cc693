"""H101: the application logs in as a role that no policy applies to."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

# The predefined roles that read files or run programs on the server need no SQL to get at rows.
_REACHED = text("""
    SELECT r.rolname, m.rolname AS member, CASE
        WHEN r.rolsuper THEN 'SUPERUSER' WHEN r.rolbypassrls THEN 'BYPASSRLS'
        ELSE 'the server''s files' END AS power
    FROM pg_auth_members a
    JOIN pg_roles r ON r.oid = a.roleid
    JOIN pg_roles m ON m.oid = a.member
    WHERE m.rolname = ANY(:reach) AND (r.rolsuper OR r.rolbypassrls OR r.rolname
        IN ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'))
    ORDER BY 1, 2
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find a login that is a superuser or has BYPASSRLS, or may become such a role.

    The official FastAPI template connects as `postgres`, and every policy added to it since has
    looked right and enforced nothing.
    """
    login = inspection.login
    wanted = inspection.row_security.roles.app
    if login.rolsuper or login.rolbypassrls:
        power = "SUPERUSER" if login.rolsuper else "BYPASSRLS"
        yield Finding(
            subject=login.rolname,
            sentence=f"The application logs in as {login.rolname!r}, which is {power}:"
            " every request sees and changes every user's rows.",
            fix=(
                f"ALTER ROLE {sql.name(login.rolname)} NOSUPERUSER NOBYPASSRLS;"
                if login.rolname == wanted
                else f"Log in as {wanted!r} (RLS_APP_USER)."
            ),
        )
    for role in inspection.application.execute(_REACHED, {"reach": inspection.reach}):
        yield Finding(
            subject=role.rolname,
            sentence=f"{login.rolname!r} may become {role.rolname!r}, which has {role.power}:"
            " injected SQL can see and change every user's rows.",
            fix=f"REVOKE {sql.name(role.rolname)} FROM {sql.name(role.member)};",
        )


CHECK = Check("H101", Level.ERROR, "Login bypasses RLS", find, pitfalls=("P1",), at_start_up=True)
