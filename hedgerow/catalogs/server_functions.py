"""What reaches past the policies: functions for sessions, files and other databases, parameters."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

SESSIONS: Final = ("pg_cancel_backend(integer)", "pg_terminate_backend(integer, bigint)")
"""They end what other sessions of the same role do, and with it other users' requests."""

LARGE_OBJECTS: Final = (
    "lo_creat(integer)",
    "lo_create(oid)",
    "lo_from_bytea(oid, bytea)",
    "lo_get(oid)",
    "lo_get(oid, bigint, integer)",
    "lo_open(oid, integer)",
    "lo_put(oid, bigint, bytea)",
    "lo_unlink(oid)",
)
"""The ways to a large object, which belongs to the role and not to a user."""

CONNECTIONS: Final = ("dblink", "dblink_connect", "dblink_exec")
"""What dblink lets everybody execute once its extension is there."""

# The server withholds the others from everybody, or from all but a predefined role: who may execute
# them now was given that by hand.
_GRANTED = text("""
    WITH known AS (
        SELECT oid FROM pg_proc
        WHERE proname = ANY(:server) AND pronamespace = 'pg_catalog'::regnamespace
        UNION
        SELECT d.objid FROM pg_extension e
        JOIN pg_depend d ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass
            AND d.deptype = 'e' AND d.classid = 'pg_proc'::regclass
        JOIN pg_proc p ON p.oid = d.objid
        WHERE e.extname = 'dblink' AND p.proname = ANY(:dblink)
    )
    SELECT p.oid::regprocedure::text AS target, p.proname AS name, given.role,
        false AS is_parameter
    FROM (SELECT oid, NULL::aclitem[] AS withheld FROM known
          UNION ALL
          SELECT objoid, initprivs FROM pg_init_privs
          WHERE classoid = 'pg_proc'::regclass AND objoid NOT IN (SELECT oid FROM known)) AS asked
    JOIN pg_proc p USING (oid)
    CROSS JOIN LATERAL (
        SELECT acl.grantee, coalesce(r.rolname, 'public') AS role
        FROM aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS acl
        LEFT JOIN pg_roles r ON r.oid = acl.grantee
        WHERE acl.grantee <> p.proowner
    ) AS given
    WHERE given.role = ANY(:roles)
      AND NOT EXISTS (SELECT FROM aclexplode(asked.withheld) AS before
                      WHERE before.grantee = given.grantee)
    UNION
    SELECT parname, parname, coalesce(r.rolname, 'public'), true
    FROM pg_parameter_acl CROSS JOIN LATERAL aclexplode(paracl) AS acl
    LEFT JOIN pg_roles r ON r.oid = acl.grantee
    WHERE coalesce(r.rolname, 'public') = ANY(:roles)
    ORDER BY 3, 2, 1
""")

_OBJECTS = text("""
    SELECT count(*) FROM pg_largeobject_metadata m
    WHERE EXISTS (
        SELECT FROM aclexplode(coalesce(m.lomacl, acldefault('L', m.lomowner))) AS acl
        LEFT JOIN pg_roles r ON r.oid = acl.grantee
        WHERE coalesce(r.rolname, 'public') = ANY(:roles))
""")


@dataclass(frozen=True)
class ServerFunction:
    """A function that `role` may execute, or "public", who are all roles; `target` is SQL.

    Or a parameter that only superusers set unless it is granted, where `is_parameter`.
    """

    target: str
    name: str
    role: str
    is_parameter: bool = False


def names(functions: Collection[str]) -> list[str]:
    """Return the names of functions that are given with their arguments, each once."""
    return list(dict.fromkeys(function.partition("(")[0] for function in functions))


def server_functions(connection: Connection, roles: Collection[str]) -> list[ServerFunction]:
    """Return those that `roles` were granted, by role and name."""
    asked = {
        "server": names([*SESSIONS, *LARGE_OBJECTS]),
        "dblink": list(CONNECTIONS),
        "roles": list(roles),
    }
    return [ServerFunction(**row) for row in connection.execute(_GRANTED, asked).mappings()]


def large_objects(connection: Connection, roles: Collection[str]) -> int:
    """Return how many large objects belong to one of `roles`, or were opened to it."""
    return int(connection.execute(_OBJECTS, {"roles": list(roles)}).scalar_one())
