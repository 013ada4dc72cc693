"""What policies use with the rights of the user who asks: functions, tables and views."""

from collections.abc import Mapping

from sqlalchemy import Connection, text

# A function or view with its owner's rights is used itself; what is beneath it needs no privilege
# of the user's. A body that is text depends on nothing in the catalogs, so its words are searched.
_USES = text(r"""
    WITH RECURSIVE thing AS (
        SELECT 'pg_proc'::regclass::oid AS kind, p.oid, n.nspname AS schema, p.proname AS name,
            CASE WHEN NOT p.prosecdef AND n.nspname <> :but_schema THEN p.prosrc END AS body
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname NOT IN ('pg_catalog', 'information_schema')
        UNION ALL
        SELECT 'pg_class'::regclass::oid, c.oid, n.nspname, c.relname, NULL
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
          AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    ), use AS (
        SELECT format('%s of table %s', quote_literal(p.polname),
                      quote_literal(p.polrelid::regclass::text)) AS policy,
            d.refclassid AS kind, d.refobjid AS oid
        FROM pg_policy p
        JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid
        WHERE d.refobjid <> p.polrelid
        UNION
        SELECT use.policy, beneath.kind, beneath.oid
        FROM use
        JOIN LATERAL (
            SELECT d.refclassid AS kind, d.refobjid AS oid
            FROM pg_proc f
            JOIN pg_depend d ON d.classid = 'pg_proc'::regclass AND d.objid = f.oid
            WHERE use.kind = 'pg_proc'::regclass AND f.oid = use.oid AND NOT f.prosecdef
            UNION ALL
            SELECT other.kind, other.oid
            FROM thing AS function
            JOIN thing AS other
                ON function.body ~ concat('\m', regexp_replace(other.name, '\W', '\\\&', 'g'), '\M')
            WHERE function.kind = use.kind AND function.oid = use.oid
            UNION ALL
            SELECT d.refclassid, d.refobjid
            FROM pg_class v
            JOIN pg_rewrite w ON w.ev_class = v.oid
            JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = w.oid
            WHERE use.kind = 'pg_class'::regclass AND v.oid = use.oid AND v.relkind = 'v'
              AND coalesce((SELECT option_value::boolean FROM pg_options_to_table(v.reloptions)
                            WHERE option_name = 'security_invoker'), false)
        ) AS beneath ON true
    )
    SELECT CASE WHEN use.kind = 'pg_proc'::regclass THEN use.oid::regprocedure::text
                ELSE format('%I.%I', thing.schema, thing.name) END AS used,
        min(use.policy) AS policy
    FROM use JOIN thing USING (kind, oid)
    GROUP BY use.kind, use.oid, thing.schema, thing.name
""")


def used_by_policies(connection: Connection, *, but_schema: str) -> Mapping[str, str]:
    """Return a policy that uses each function, table or view with the rights of who asks.

    Functions are named as `regprocedure` names them, relations with their schema, both as SQL; the
    policy as a phrase: its name, and its table's. Words in functions of `but_schema` do not count.
    """
    found = connection.execute(_USES, {"but_schema": but_schema})
    return {row.used: row.policy for row in found}
