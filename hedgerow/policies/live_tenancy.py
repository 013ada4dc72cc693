"""Read from the catalogs who belongs to which tenant, and whether that is as it was made."""

import json
from dataclasses import replace
from functools import partial

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.catalogs.definitions import definitions
from hedgerow.policies.tenancy import Tenancy
from hedgerow.policies.tenancy_sql import (
    KEEP_AN_OWNER,
    TENANTS,
    create_statements,
    functions,
    triggers,
)

_MADE_FROM = text("SELECT obj_description(to_regprocedure(:function), 'pg_proc')")

# A trigger stays with its table, whatever that is called by now; and the key of its column of the
# tenant names the other. What is called "members" comes first.
_TABLES = text("""
    WITH members AS (
        SELECT coalesce(
            (SELECT min(tgrelid) FROM pg_trigger WHERE tgfoid = to_regprocedure(:function)),
            to_regclass(:members)::oid) AS oid
    ), tenants AS (
        SELECT k.confrelid AS oid FROM members
        JOIN pg_constraint k ON k.conrelid = members.oid AND k.contype = 'f'
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND k.conkey = ARRAY[a.attnum]
        WHERE a.attname = :tenant
    )
    SELECT c.relname AS name,
           CASE WHEN n.nspname <> current_schema() THEN n.nspname END AS schema
    FROM (SELECT 1 AS place, oid FROM members UNION ALL SELECT 2, oid FROM tenants) AS one
    JOIN pg_class c ON c.oid = one.oid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    ORDER BY place
""")


def live_tenancy(connection: Connection) -> Tenancy | None:
    """Return what `rls.tenants()` was made from, as its comment says, or None where it is not.

    The tables have the names that they have now.
    """
    noted = connection.scalar(_MADE_FROM, {"function": TENANTS})
    if not noted:
        return None
    tenancy = Tenancy(**json.loads(noted))
    known = {
        "function": KEEP_AN_OWNER,
        "members": sql.table_name(tenancy.members, tenancy.schema),
        "tenant": tenancy.tenant,
    }
    found = connection.execute(_TABLES, known).all()
    for table in found[:1]:
        tenancy = replace(tenancy, members=table.name, schema=table.schema)
    for table in found[1:]:
        tenancy = replace(tenancy, tenants=table.name, tenants_schema=table.schema)
    return tenancy


def altered(connection: Connection, tenancy: Tenancy) -> tuple[str, ...]:
    """Return the functions, by signature, and triggers that are others than would be made.

    Missing ones too, and triggers that are off. Tried in a savepoint and read back; leaves no
    trace. Raises what the server raises.
    """
    read = partial(
        definitions,
        connection,
        list(functions(tenancy)),
        [(trigger.name, trigger.table) for trigger in triggers(tenancy)],
        beside=sql.table_name(tenancy.members, tenancy.schema),
    )
    before = read()
    if foreign := tuple(name for name, row in before.items() if row.is_foreign):
        return foreign  # who may not replace them could not try the others
    savepoint = connection.begin_nested()
    try:
        for name in functions(tenancy):
            if name in before:
                connection.execute(sql.Statement(f"GRANT EXECUTE ON FUNCTION {name} TO PUBLIC"))
        for statement in create_statements(tenancy):
            connection.execute(sql.Statement(statement))
        made = read()
    finally:
        savepoint.rollback()
    return tuple(name for name, row in made.items() if row != before.get(name))
