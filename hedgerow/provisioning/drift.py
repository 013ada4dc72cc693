"""Say where what is not history differs: roles, and the functions of schema `rls`."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Row, text

from hedgerow import sql
from hedgerow.config.row_security import RowSecurity
from hedgerow.policies.live_tenancy import live_tenancy
from hedgerow.policies.references import FUNCTION_PREFIX as KEYS_PREFIX
from hedgerow.policies.shares import PREFIX as SHARES_PREFIX
from hedgerow.policies.tenancy_sql import SIGNATURES
from hedgerow.policies.tenancy_sql import functions as tenancy_functions
from hedgerow.provisioning import functions
from hedgerow.provisioning.role_changes import pending_role_changes

_DEFINITIONS = text("""
    SELECT p.oid::regprocedure::text AS name, p.xmin::text AS version,
           CASE WHEN p.prokind <> 'a' THEN pg_get_functiondef(p.oid) END AS definition
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = :schema
      AND NOT EXISTS (SELECT FROM unnest(CAST(:prefixes AS text[])) AS prefix
                      WHERE starts_with(p.proname, prefix))
      AND p.oid <> ALL(SELECT coalesce(to_regprocedure(o), 0)
                       FROM unnest(CAST(:others AS text[])) AS o)
    ORDER BY 1
""")

_OF_TABLES = [SHARES_PREFIX, KEYS_PREFIX]
"""How the functions of single tables begin: those are history, and compared with their tables.

So are the functions of tenants.
"""


def drifted_roles(connection: Connection, row_security: RowSecurity) -> list[str]:
    """Return a sentence for each role that is not what the configuration says.

    BYPASSRLS that the owner could not grant is not a difference: `ensure_roles` has warned of it.
    """
    changes = pending_role_changes(connection, row_security)
    return [change.sentence for change in changes if not change.optional]


def drifted_functions(connection: Connection, row_security: RowSecurity) -> list[str]:
    """Return a sentence for each function in `rls` that is not ours, is missing or is altered."""
    return [
        f"Function {name} is altered or missing."
        if is_ours
        else f"Function {name} is not Hedgerow's: drop it, or move it to another schema."
        for name, is_ours in differing_functions(connection, row_security).items()
    ]


def differing_functions(connection: Connection, row_security: RowSecurity) -> Mapping[str, bool]:
    """Return each such function, and whether it is one of ours (altered or missing).

    Ours are defined in a savepoint and read back, so the server compares like with like.
    """
    live = _read(connection)
    savepoint = connection.begin_nested()
    try:
        for statement in functions.definitions_for(connection, row_security):
            connection.execute(sql.Statement(statement))
        redefined = _read(connection)
    finally:
        savepoint.rollback()
    # What was not written anew just now is none of ours.
    ours = {name for name, function in redefined.items() if function != live.get(name)}
    same = {n for n in ours & live.keys() if live[n].definition == redefined[n].definition}
    return {name: name in ours for name in sorted((ours | live.keys()) - same)}


def _read(connection: Connection) -> dict[str, Row[Any]]:
    """Return each function's version, which every CREATE OR REPLACE changes, and its definition."""
    tenancy = live_tenancy(connection)
    asked = {
        "schema": functions.SCHEMA,
        "prefixes": _OF_TABLES,
        "others": list(tenancy_functions(tenancy)) if tenancy else SIGNATURES,
    }
    rows = connection.execute(_DEFINITIONS, asked)
    return {row.name: row for row in rows}
