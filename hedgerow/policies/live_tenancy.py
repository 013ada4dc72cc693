"""Read from the catalogs who belongs to which tenant, and whether that is as it was made."""

import json

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.policies.tenancy import Tenancy
from hedgerow.policies.tenancy_sql import (
    TENANTS,
    create_statements,
    functions,
    triggers,
)

_MADE_FROM = text("SELECT obj_description(to_regprocedure(:function), 'pg_proc')")

# With all that a definition says, whose it is, and whether a trigger is switched off.
_DEFINITIONS = text("""
    SELECT f, pg_get_functiondef(to_regprocedure(f)),
           (SELECT proowner::regrole::text FROM pg_proc WHERE oid = to_regprocedure(f)),
           (SELECT proacl::text FROM pg_proc WHERE oid = to_regprocedure(f))
    FROM unnest(CAST(:functions AS text[])) AS f
    UNION ALL
    SELECT t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, ''
    FROM pg_trigger t
    JOIN unnest(CAST(:names AS text[]), CAST(:tables AS text[])) AS wanted (name, of_table)
        ON t.tgname = wanted.name AND t.tgrelid = to_regclass(wanted.of_table)
    ORDER BY 1
""")


def live_tenancy(connection: Connection) -> Tenancy | None:
    """Return what `rls.tenants()` was made from, as its comment says, or None where it is not."""
    noted = connection.scalar(_MADE_FROM, {"function": TENANTS})
    return Tenancy(**json.loads(noted)) if noted else None


def tenancy_would_change(connection: Connection, tenancy: Tenancy) -> bool:
    """Return whether a function or trigger is another than would be made, or is off or missing.

    Tried in a savepoint and read back; leaves no trace. Raises what the server raises.
    """
    known = {
        "functions": list(functions(tenancy)),
        "names": [trigger.name for trigger in triggers(tenancy)],
        "tables": [trigger.table for trigger in triggers(tenancy)],
    }
    before = connection.execute(_DEFINITIONS, known).all()
    savepoint = connection.begin_nested()
    try:
        for statement in create_statements(tenancy):
            connection.execute(sql.Statement(statement))
        return connection.execute(_DEFINITIONS, known).all() != before
    finally:
        savepoint.rollback()
