"""Say where what is not history differs: roles, and the functions of schema `rls`."""

from sqlalchemy import Connection, text

from hedgerow import functions, sql
from hedgerow.roles import pending_role_changes
from hedgerow.row_security import RowSecurity

_DEFINITIONS = text("""
    SELECT p.oid::regprocedure::text AS name, pg_get_functiondef(p.oid) AS definition
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = :schema ORDER BY 1
""")


def drifted_roles(connection: Connection, row_security: RowSecurity) -> list[str]:
    """Return a sentence for each role that is not what the configuration says.

    BYPASSRLS that the owner could not grant is no difference: `ensure_roles` has warned of it.
    """
    changes = pending_role_changes(connection, row_security)
    return [change.sentence for change in changes if not change.optional]


def drifted_functions(connection: Connection, row_security: RowSecurity) -> list[str]:
    """Return a sentence for each function in `rls` that is not ours, is missing or is altered.

    Ours are defined in a savepoint and read back, so the server compares like with like.
    """
    live = _read(connection)
    savepoint = connection.begin_nested()
    try:
        signed = row_security.signing is not None
        for statement in functions.define_statements(row_security.id_type, signed=signed):
            connection.execute(sql.Statement(statement))
        wanted = _read(connection)
    finally:
        savepoint.rollback()
    return [
        f"Function {name} differs from Hedgerow's."
        for name in sorted({*live, *wanted})
        if live.get(name) != wanted.get(name)
    ]


def _read(connection: Connection) -> dict[str, str]:
    rows = connection.execute(_DEFINITIONS, {"schema": functions.SCHEMA})
    return {row.name: row.definition for row in rows}
