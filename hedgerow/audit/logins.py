"""Have PostgreSQL itself record each login of the maintenance role, where it can."""

import logging

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.catalogs.server import LOGIN_TRIGGERS_SINCE, VERSION

logger = logging.getLogger("hedgerow.audit")

NAME = "rls_audit_login"
_STATE = text(f"""
    SELECT {VERSION} AS version,
           (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
           to_regprocedure('rls.record_login()') IS NOT NULL AS wanted,
           EXISTS (SELECT FROM pg_event_trigger WHERE evtname = :name) AS there
""")  # noqa: S608


def create_statement() -> str:
    """Return the SQL that a superuser runs to have logins recorded."""
    return f"CREATE EVENT TRIGGER {NAME} ON login EXECUTE FUNCTION rls.record_login()"


def record_logins(connection: Connection) -> None:
    """Make the event trigger where the audit trail is there, the server can and the owner may.

    Only a superuser may; where the owner is none, a message says what an administrator runs. Until
    then what the maintenance role changes is recorded all the same, and what it reads is not.
    """
    state = connection.execute(_STATE, {"name": NAME}).one()
    if not state.wanted or state.there or state.version < LOGIN_TRIGGERS_SINCE:
        return
    if state.superuser:
        connection.execute(sql.Statement(create_statement()))
    else:
        logger.info(
            "Logins of the maintenance role are not recorded. To have them recorded, an"
            " administrator runs: %s;",
            create_statement(),
        )
