"""Which views and materialized views read scoped tables, also through other views."""

from dataclasses import dataclass

from sqlalchemy import text

from hedgerow.checks.inspection import Inspection

# `strong`: somewhere on the way, policies are asked for a role that they do not apply to, which is
# the owner of a view that is not security_invoker.
_READERS = text("""
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
        c.relkind = 'm' AS materialized, bool_or(step.strong) AS strong,
        bool_or(step.stored) AS stored, pg_get_userbyid(c.relowner) AS owner,
        coalesce((SELECT option_value::boolean FROM pg_options_to_table(c.reloptions)
                  WHERE option_name = 'security_invoker'), false) AS invoker,
        min(step.root::regclass::text) AS of_table
    FROM step JOIN pg_class c ON c.oid = step.relation JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('v', 'm') AND EXISTS (
        SELECT FROM unnest(CAST(:reach AS name[])) AS role
        WHERE has_schema_privilege(role, n.oid, 'USAGE')
          AND (has_any_column_privilege(role, c.oid, 'SELECT, INSERT, UPDATE')
               OR has_table_privilege(role, c.oid, 'DELETE'))
    )
    GROUP BY c.oid, n.nspname ORDER BY 1
""")


@dataclass(frozen=True)
class Reader:
    """A view or materialized view over a scoped table that the login may use, or may come to use.

    `strong` where it asks policies for a role they do not apply to; `stored` where what it shows
    was computed by a materialized view.
    """

    name: str
    target: str
    owner: str
    of_table: str
    materialized: bool
    invoker: bool
    strong: bool
    stored: bool


def readers(inspection: Inspection) -> list[Reader]:
    """Return the readers of scoped tables within the login's reach, ordered by name."""
    if inspection.login.rolsuper:
        return []  # H101 says it already
    rows = inspection.application.execute(
        _READERS, {"tables": list(inspection.tables), "reach": inspection.reach}
    )
    return [Reader(**row._mapping) for row in rows]
