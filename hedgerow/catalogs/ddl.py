"""What stops the application's login from running DDL, and what lets it make temporary tables."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, text

# CREATE DATABASE ... TEMPLATE copies event triggers, and not what the database was granted.
_GUARD = text("""
    SELECT
        current_database()::text AS database,
        EXISTS (
            SELECT FROM pg_event_trigger
            WHERE evtname = :trigger AND evtevent = 'ddl_command_start' AND evttags IS NULL
              AND evtenabled IN ('O', 'A') AND evtfoid = to_regprocedure(:function)
        ) AS fires,
        EXISTS (
            SELECT FROM pg_proc p
            WHERE p.oid = to_regprocedure(:function) AND p.prosrc = :body
              AND p.proconfig = ARRAY['search_path=pg_catalog, pg_temp']
        ) AS refuses,
        (
            SELECT r.rolsuper FROM pg_proc p JOIN pg_roles r ON r.oid = p.proowner
            WHERE p.oid = to_regprocedure(:function)
        ) IS NOT FALSE AS owner_may,
        ARRAY(
            SELECT coalesce(r.rolname, 'public')
            FROM pg_database d
            CROSS JOIN LATERAL aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) AS acl
            LEFT JOIN pg_roles r ON r.oid = acl.grantee
            WHERE d.datname = current_database() AND acl.privilege_type = 'TEMPORARY'
              AND acl.grantee <> d.datdba AND coalesce(r.rolname, 'public') = ANY(:roles)
            ORDER BY 1
        ) AS temporary
""")


@dataclass(frozen=True)
class DdlGuard:
    """How far DDL is refused.

    `fires` where the event trigger is there, on and calls the function; `refuses` where that is
    ours. `owner_may` where the function's owner is a superuser, who may make the trigger.
    `temporary` are those of the asked roles that were granted TEMPORARY on the database.
    """

    database: str
    fires: bool
    refuses: bool
    owner_may: bool
    temporary: tuple[str, ...]


def ddl_guard(
    connection: Connection, *, trigger: str, function: str, body: str, roles: Collection[str]
) -> DdlGuard:
    """Return how far DDL is refused; `body` is what the function is to hold."""
    asked = {"trigger": trigger, "function": function, "body": body, "roles": list(roles)}
    row = connection.execute(_GUARD, asked).mappings().one()
    return DdlGuard(**{**row, "temporary": tuple(row["temporary"])})
