"""SECURITY DEFINER functions whose owner policies do not apply to."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

# Trigger functions cannot be called, and extensions answer for their own.
_DEFINERS = text("""
    SELECT p.oid::regprocedure::text AS name,
        format('%I.%I(%s)', n.nspname, p.proname, pg_get_function_identity_arguments(p.oid))
            AS target,
        n.nspname AS schema, pg_get_userbyid(p.proowner) AS owner,
        p.prosqlbody IS NULL AND l.lanname NOT IN ('c', 'internal') AS looks_names_up,
        (SELECT substr(setting, length('search_path=') + 1) FROM unnest(p.proconfig) AS setting
         WHERE setting LIKE 'search_path=%') AS search_path
    FROM pg_proc p
    JOIN pg_namespace n ON n.oid = p.pronamespace
    JOIN pg_language l ON l.oid = p.prolang
    JOIN pg_roles o ON o.oid = p.proowner
    WHERE p.prosecdef
      AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND p.oid <> ALL(SELECT to_regprocedure(o) FROM unnest(CAST(:but AS text[])) AS o
                       WHERE to_regprocedure(o) IS NOT NULL)
      AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype)
      AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass
                      AND d.objid = p.oid AND d.deptype = 'e')
      AND (o.rolsuper OR o.rolbypassrls OR EXISTS (
          SELECT FROM pg_class c WHERE c.oid = ANY(:tables) AND NOT c.relforcerowsecurity
          AND pg_has_role(p.proowner, c.relowner, 'USAGE')))
      AND EXISTS (SELECT FROM unnest(CAST(:roles AS name[])) AS role
          WHERE has_schema_privilege(role, n.oid, 'USAGE')
            AND has_function_privilege(role, p.oid, 'EXECUTE'))
    ORDER BY 1
""")


@dataclass(frozen=True)
class Definer:
    """A function that runs with the rights of `owner`, to whom policies do not apply.

    `target` is its name as SQL. `looks_names_up` where its body is read as it runs, with
    `search_path` or the caller's.
    """

    name: str
    target: str
    schema: str
    owner: str
    looks_names_up: bool
    search_path: str | None


def definers(
    connection: Connection,
    tables: Collection[int],
    roles: Collection[str],
    *,
    but: Collection[str],
) -> list[Definer]:
    """Return those that one of the roles may call, except the functions `but`, ordered by name."""
    asked = {"tables": list(tables), "roles": list(roles), "but": list(but)}
    return [Definer(**row) for row in connection.execute(_DEFINERS, asked).mappings()]
