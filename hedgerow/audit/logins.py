"""Have PostgreSQL itself record each login of the maintenance role, where it can."""

import logging

from sqlalchemy import Connection, text

from hedgerow import sql

logger = logging.getLogger("hedgerow.audit")

NAME = "rls_audit_login"
SINCE = 170000
"""The version of PostgreSQL that brought event triggers on login."""

_STATE = text("""
    SELECT current_setting('server_version_num')::int AS version,
           (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS superuser,
           to_regprocedure('rls.record_login()') IS NOT NULL AS wanted,
           EXISTS (SELECT FROM pg_event_trigger WHERE evtname = :name) AS there
""")


def create_statement() -> str:
    """Return the SQL that a superuser runs to have logins recorded."""
    return f"CREATE EVENT TRIGGER {NAME} ON login EXECUTE FUNCTION rls.record_login()"


def record_logins(connection: Connection) -> None:
    """Make the event trigger where the audit trail is there, the server can and the owner may.

    Only a superuser may; where the owner is none, a message says what an administrator runs. Until
    then what the maintenance role changes is recorded all the same, and what it reads is not.
    """
    state = connection.execute(_STATE, {"name": NAME}).one()
    if not state.wanted or state.there or state.version < SINCE:
        return
    if state.superuser:
        connection.execute(sql.Statement(create_statement()))
    else:
        logger.info(
            "Logins of the maintenance role are not recorded. To have them recorded, an"
            " administrator runs: %s;",
            create_statement(),
        )
