"""Views and materialized views that read tables, also through other views."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

from hedgerow.catalogs.privileges import MAY_USE

# `strong`: somewhere on the way the table is read as a role that its policies do not apply to, and
# which is the owner of a view that is not security_invoker.
_VIEWS = text(f"""
    WITH RECURSIVE root AS (
        SELECT c.oid AS root, c.relowner, c.relforcerowsecurity
        FROM pg_class c WHERE c.oid = ANY(:tables)
    ), step AS (
        SELECT root, root AS relation, false AS strong, false AS stored FROM root
        UNION
        SELECT step.root, v.oid,
            NOT (step.stored OR v.stored) AND (step.strong OR NOT v.invoker AND (v.above
                OR NOT r.relforcerowsecurity AND pg_has_role(v.relowner, r.relowner, 'USAGE'))),
            step.stored OR v.stored
        FROM step
        JOIN root r USING (root)
        JOIN pg_depend d ON d.refobjid = step.relation AND d.refclassid = 'pg_class'::regclass
            AND d.classid = 'pg_rewrite'::regclass
        JOIN pg_rewrite w ON w.oid = d.objid AND w.ev_class <> step.relation
        JOIN LATERAL (
            SELECT c.oid, c.relowner, c.relkind = 'm' AS stored,
                o.rolsuper OR o.rolbypassrls AS above,
                coalesce((SELECT option_value::boolean FROM pg_options_to_table(c.reloptions)
                          WHERE option_name = 'security_invoker'), false) AS invoker
            FROM pg_class c JOIN pg_roles o ON o.oid = c.relowner
            WHERE c.oid = w.ev_class AND c.relkind IN ('v', 'm')
        ) v ON true
    )
    SELECT c.oid::regclass::text AS name, format('%I.%I', n.nspname, c.relname) AS target,
        c.relkind = 'm' AS materialized, bool_or(step.strong) AS bypasses_policies,
        bool_or(step.stored) AS stored, pg_get_userbyid(c.relowner) AS owner,
        coalesce((SELECT option_value::boolean FROM pg_options_to_table(c.reloptions)
                  WHERE option_name = 'security_invoker'), false) AS security_invoker,
        min(step.root::regclass::text) AS table
    FROM step JOIN pg_class c ON c.oid = step.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND {MAY_USE}
    GROUP BY c.oid, n.nspname ORDER BY 1
""")  # noqa: S608


@dataclass(frozen=True)
class View:
    """A view or materialized view, and the table that it reads, perhaps through other views.

    `target` is its name as SQL. `bypasses_policies` where policies do not apply to a role that it
    reads the table as; `stored` where what it shows was computed by a materialized view.
    """

    name: str
    target: str
    owner: str
    table: str
    materialized: bool
    security_invoker: bool
    bypasses_policies: bool
    stored: bool


def views_of(connection: Connection, tables: Collection[int], roles: Collection[str]) -> list[View]:
    """Return the views that read one of the tables and that one of the roles may use, by name."""
    asked = {"tables": list(tables), "roles": list(roles)}
    return [View(**row) for row in connection.execute(_VIEWS, asked).mappings()]
