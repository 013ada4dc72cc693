"""H127: logins of the maintenance role are not recorded."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow.audit import logins
from hedgerow.catalogs.server import LOGIN_TRIGGERS_SINCE
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level

_STATE = text("""
    SELECT EXISTS (
        SELECT FROM pg_event_trigger
        WHERE evtname = :name AND evtenabled = 'O'
          AND evtfoid = to_regprocedure('rls.record_login()')
    )
""")


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find a database that lets the maintenance role log in without an entry in the audit trail.

    That role bypasses the policies, which therefore cannot demand one; what it changes is
    recorded all the same. Only PostgreSQL 17 and later can record a login.
    """
    if inspection.row_security.audit is None:
        return
    if inspection.application.scalar(_STATE, {"name": logins.NAME}):
        return
    can = inspection.server_version >= LOGIN_TRIGGERS_SINCE
    yield Finding(
        subject=inspection.row_security.roles.maintenance,
        sentence="Logins of the maintenance role are not in the audit trail: nothing shows that it"
        " read rows.",
        fix=f"DROP EVENT TRIGGER IF EXISTS {logins.NAME}; {logins.create_statement()};"
        if can
        else "Upgrade the server to PostgreSQL 17, or have it log that role's statements.",
    )


CHECK = Check("H127", Level.NOTE, "Logins not recorded", find)
