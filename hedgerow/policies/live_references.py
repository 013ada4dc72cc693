"""Read from the catalogs what policies lean on: checked keys, and functions that tell of shares."""

import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.policies.references import FUNCTION_PREFIX, ReferenceCheck, read_reference_check
from hedgerow.policies.references import PREFIX as TRIGGER_PREFIX
from hedgerow.policies.shares import PREFIX as SHARES_PREFIX
from hedgerow.policies.shares import ShareFunction

# A trigger of that name which calls another function was not made by us.
_REFERENCES = text("""
    SELECT tgrelid, tgargs FROM pg_trigger JOIN pg_proc p ON p.oid = tgfoid
    WHERE starts_with(tgname, :prefix) AND NOT tgisinternal AND tgrelid = ANY(:tables)
      AND p.pronamespace = to_regnamespace('rls') AND starts_with(p.proname, :function_prefix)
""")

# A function depends on the one table that it reads.
_SHARES = text("""
    SELECT DISTINCT p.proname AS name, c.relname AS table,
           CASE WHEN n.nspname <> current_schema() THEN n.nspname END AS schema,
           obj_description(p.oid, 'pg_proc') AS made_from
    FROM pg_proc p
    JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = p.oid
    JOIN pg_class c ON d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE p.pronamespace = to_regnamespace('rls') AND starts_with(p.proname, :prefix)
      AND obj_description(p.oid, 'pg_proc') IS NOT NULL
""")

# Both with all that a definition says, and whether a trigger is switched off.
_DEFINITIONS = text("""
    SELECT pg_get_triggerdef(t.oid), t.tgenabled::text, pg_get_functiondef(t.tgfoid)
    FROM pg_trigger t
    WHERE t.tgrelid = to_regclass(:table) AND t.tgname = :name
    UNION ALL
    SELECT pg_get_functiondef(p.oid), '', obj_description(p.oid, 'pg_proc')
    FROM pg_proc p
    WHERE pronamespace = to_regnamespace('rls') AND proname = :name
""")


def live_references(
    connection: Connection, tables: Collection[int]
) -> Mapping[int, Mapping[str, ReferenceCheck]]:
    """Return the checked keys of each table, by its oid, and by the name of the trigger."""
    found: dict[int, dict[str, ReferenceCheck]] = defaultdict(dict)
    known = {"prefix": TRIGGER_PREFIX, "function_prefix": FUNCTION_PREFIX}
    for row in connection.execute(_REFERENCES, {"tables": list(tables), **known}):
        check = read_reference_check(row.tgargs)
        found[row.tgrelid][check.name] = check
    return found


def live_shares(connection: Connection) -> Mapping[str, ShareFunction]:
    """Return the functions that tell of shares, by name, as their comments say."""
    rows = connection.execute(_SHARES, {"prefix": SHARES_PREFIX})
    return {
        row.name: ShareFunction(
            name=row.name, table=row.table, schema=row.schema, **json.loads(row.made_from)
        )
        for row in rows
    }


def would_change(
    connection: Connection, drop: Iterable[str], create: Iterable[str], name: str, table: str | None
) -> bool:
    """Return whether the trigger or function `name` is another than `create` would make it.

    Tried in a savepoint and read back; leaves no trace. Raises what the server raises.
    """
    known = {"name": name, "table": table}
    before = connection.execute(_DEFINITIONS, known).all()
    savepoint = connection.begin_nested()
    try:
        for statement in (*drop, *create):
            connection.execute(sql.Statement(statement))
        return connection.execute(_DEFINITIONS, known).all() != before
    finally:
        savepoint.rollback()
