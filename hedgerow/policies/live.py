"""Read from the catalogs how tables are protected."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.audit.triggers import NAME as TRIGGER_NAME
from hedgerow.audit.triggers import read_arguments
from hedgerow.config.roles import RoleNames
from hedgerow.policies.policy import Policy
from hedgerow.policies.wanted import Protection, TableKey

_COMMANDS = {"*": "ALL", "r": "SELECT", "a": "INSERT", "w": "UPDATE", "d": "DELETE"}

_TABLES = text("""
    SELECT c.oid, nullif(n.nspname, current_schema()) AS schema, c.relname AS name,
           c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname = ANY(:schemas)
""")

_POLICIES = text("""
    SELECT polrelid, polname, polcmd::text AS polcmd, polpermissive,
           ARRAY(SELECT coalesce(rolname, 'public')
                 FROM unnest(polroles) AS member LEFT JOIN pg_roles r ON r.oid = member
                 ORDER BY 1) AS roles,
           pg_get_expr(polqual, polrelid) AS using,
           pg_get_expr(polwithcheck, polrelid) AS with_check
    FROM pg_policy WHERE polrelid = ANY(:tables)
""")

# A privilege on one column is spelled as GRANT takes it: `UPDATE (title)`.
_GRANTS = text("""
    SELECT c.oid, coalesce(r.rolname, 'public') AS role,
           acl.privilege_type || coalesce(' (' || quote_ident(a.attname) || ')', '') AS privilege
    FROM pg_class c
    JOIN LATERAL (
        SELECT NULL AS attname, c.relacl AS list
        UNION ALL
        SELECT attname, attacl FROM pg_attribute WHERE attrelid = c.oid
    ) AS a ON true
    CROSS JOIN LATERAL aclexplode(a.list) AS acl
    LEFT JOIN pg_roles r ON r.oid = acl.grantee
    WHERE c.oid = ANY(:tables) AND acl.grantee <> c.relowner
    ORDER BY 1, 2, 3
""")

# The sequence of a SERIAL column ("a") or an IDENTITY ("i"): it goes with its column.
_SEQUENCES = text("""
    SELECT d.refobjid AS oid, a.attname AS column, coalesce(r.rolname, 'public') AS role,
           acl.privilege_type AS privilege
    FROM pg_depend d
    JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    LEFT JOIN LATERAL aclexplode(s.relacl) AS acl ON acl.grantee <> s.relowner
    LEFT JOIN pg_roles r ON r.oid = acl.grantee
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND d.refobjid = ANY(:tables)
    ORDER BY 1, 2, 3, 4
""")


_TRIGGERS = text("""
    SELECT tgrelid, tgargs FROM pg_trigger
    WHERE tgname = :name AND NOT tgisinternal AND tgrelid = ANY(:tables)
""")

_TRIGGER_DEFINITION = text("""
    SELECT pg_get_triggerdef(oid) FROM pg_trigger
    WHERE tgname = :name AND tgrelid = to_regclass(:table)
""")


def live_protections(
    connection: Connection, schemas: Collection[str], roles: RoleNames
) -> Mapping[TableKey, Protection]:
    """Return how each table of `schemas` is protected now, with the roles' default names.

    Grants are those of the project's roles and of PUBLIC: grants to other roles are not compared.
    """
    tables = connection.execute(_TABLES, {"schemas": list(schemas)}).all()
    oids = {"tables": [table.oid for table in tables]}
    policies: dict[int, dict[str, Policy]] = defaultdict(dict)
    for row in connection.execute(_POLICIES, oids):
        policies[row.polrelid][row.polname] = read_policy(row, roles)
    grants: dict[int, dict[str, tuple[str, ...]]] = defaultdict(dict)
    for row in connection.execute(_GRANTS, oids):
        _add_grant(grants[row.oid], row, roles)
    sequences: dict[int, dict[str, dict[str, tuple[str, ...]]]] = defaultdict(dict)
    for row in connection.execute(_SEQUENCES, oids):
        _add_grant(sequences[row.oid].setdefault(row.column, {}), row, roles)
    triggers = {
        row.tgrelid: read_arguments(row.tgargs)
        for row in connection.execute(_TRIGGERS, {**oids, "name": TRIGGER_NAME})
    }
    return {
        (table.schema, table.name): Protection(
            enabled=table.enabled,
            forced=table.forced,
            policies=policies[table.oid],
            grants=grants[table.oid],
            sequences=sequences[table.oid],
            trigger=triggers.get(table.oid),
        )
        for table in tables
    }


def _add_grant(grants: dict[str, tuple[str, ...]], row: Any, roles: RoleNames) -> None:
    """Note one privilege of one of our roles; a sequence that nobody was given has none."""
    ours = {"public", roles.app, roles.admin, roles.read_only_admin, roles.maintenance}
    if row.privilege is not None and row.role in ours:
        role = roles.documented(row.role)
        grants[role] = (*grants.get(role, ()), row.privilege)


def read_policy(row: Any, roles: RoleNames) -> Policy:
    """Return a row of pg_policy as a Policy whose conditions are as the server spells them."""
    return Policy(
        name=row.polname,
        command=_COMMANDS[row.polcmd],  # type: ignore[arg-type]
        roles=tuple(roles.documented(role) for role in row.roles),
        using=row.using,
        with_check=row.with_check,
        permissive=row.polpermissive,
    )


def policy_as_the_server_sees_it(
    connection: Connection, create: str, drop: str | None, table: str, name: str, roles: RoleNames
) -> Policy:
    """Create a policy in a savepoint, read it back, and leave no trace.

    `create` and `drop` are statements; `drop` makes room where a policy has the same name. Raises
    what the server raises: a policy that cannot be created is no policy that is unchanged (P39).
    """
    savepoint = connection.begin_nested()
    try:
        if drop is not None:
            connection.execute(sql.Statement(drop))
        connection.execute(sql.Statement(create))
        oid = connection.scalar(text("SELECT to_regclass(:table)::oid"), {"table": table})
        rows = connection.execute(_POLICIES, {"tables": [oid]}).all()
        return read_policy(next(row for row in rows if row.polname == name), roles)
    finally:
        savepoint.rollback()


def trigger_would_change(connection: Connection, create: str, drop: str, table: str) -> bool:
    """Return whether a table's audit trigger is another than `create` would make it.

    Tried in a savepoint and read back; leaves no trace. Raises what the server raises.
    """
    known = {"name": TRIGGER_NAME, "table": table}
    before = connection.scalar(_TRIGGER_DEFINITION, known)
    savepoint = connection.begin_nested()
    try:
        connection.execute(sql.Statement(drop))
        connection.execute(sql.Statement(create))
        return bool(connection.scalar(_TRIGGER_DEFINITION, known) != before)
    finally:
        savepoint.rollback()
