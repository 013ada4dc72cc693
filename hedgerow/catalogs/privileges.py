"""Who was granted what, and what a role may do."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, TextClause, text

MAY_USE: Final = """EXISTS (
    SELECT FROM unnest(CAST(:roles AS name[])) AS role
    WHERE has_schema_privilege(role, n.oid, 'USAGE')
      AND (has_any_column_privilege(role, c.oid, 'SELECT, INSERT, UPDATE')
           OR has_table_privilege(role, c.oid, 'DELETE')))"""
"""SQL: whether one of `:roles` may use relation `c` of namespace `n` in some way."""

# What was never granted or revoked has no list: the default stands for it, which is the owner's,
# and for functions those of PUBLIC.
_GRANTED = """
    SELECT o.oid, o.name, coalesce(r.rolname, 'public') AS role, acl.grantee = o.owner AS is_owner,
        acl.privilege_type AS privilege, o.column
    FROM ({objects}) AS o
    LEFT JOIN LATERAL aclexplode(o.list) AS acl ON true
    LEFT JOIN pg_roles r ON r.oid = acl.grantee
    ORDER BY 2, 3, 5, 6 NULLS FIRST
"""

_ON_RELATIONS = text(
    _GRANTED.format(
        objects="""
    SELECT c.oid, c.oid::regclass::text AS name, c.relowner AS owner, a.column, a.list
    FROM pg_class c
    CROSS JOIN LATERAL (
        SELECT NULL AS column, coalesce(c.relacl, acldefault(
            CAST(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END AS "char"), c.relowner)) AS list
        UNION ALL
        SELECT attname, attacl FROM pg_attribute
        WHERE attrelid = c.oid AND attacl IS NOT NULL AND NOT attisdropped
    ) AS a
    WHERE c.oid = ANY(ARRAY(
        SELECT to_regclass(name)::oid FROM unnest(CAST(:names AS text[])) AS name))
"""
    )
)

_ON_FUNCTIONS = text(
    _GRANTED.format(
        objects="""
    SELECT oid, oid::regprocedure::text AS name, proowner AS owner, NULL AS column,
        coalesce(proacl, acldefault('f', proowner)) AS list
    FROM pg_proc WHERE oid = ANY(ARRAY(
        SELECT to_regprocedure(name)::oid FROM unnest(CAST(:names AS text[])) AS name))
"""
    )
)

_ON_SCHEMAS = text(
    _GRANTED.format(
        objects="""
    SELECT oid, nspname AS name, nspowner AS owner, NULL AS column, nspacl AS list
    FROM pg_namespace WHERE nspname <> ALL(ARRAY[:but, current_schema()]::text[])
"""
    )
)

# A privilege on some columns is enough to reach the row.
_ACCESS = text("""
    SELECT r.rolsuper AS superuser, r.rolbypassrls AS bypasses_policies,
           pg_has_role(r.oid, c.relowner, 'USAGE') AS owns,
           has_schema_privilege(r.oid, c.relnamespace, 'USAGE') AS enters_schema,
           ARRAY(SELECT privilege FROM unnest(CAST(:privileges AS text[])) AS privilege
                 WHERE NOT has_table_privilege(r.oid, c.oid, privilege)
                   AND NOT CASE WHEN privilege <> 'DELETE'
                           THEN has_any_column_privilege(r.oid, c.oid, privilege) ELSE false END
           ) AS missing
    FROM pg_roles r, pg_class c WHERE r.rolname = :role AND c.oid = :table
""")

_READS_ALL = text("SELECT has_table_privilege(:role, CAST(:table AS oid), 'SELECT')")

_MAY_READ = text("""
    SELECT has_table_privilege(oid, 'SELECT') AND has_schema_privilege(relnamespace, 'USAGE')
    FROM pg_class WHERE oid = to_regclass(:name)
""")


# A role that inherits its privileges has those of its groups: they are asked for by name.
_BY_DEFAULT = text("""
    SELECT pg_get_userbyid(d.defaclrole) AS creator, n.nspname AS schema,
        coalesce(r.rolname, 'public') AS role,
        array_agg(acl.privilege_type ORDER BY acl.privilege_type) AS privileges
    FROM pg_default_acl d
    LEFT JOIN pg_namespace n ON n.oid = d.defaclnamespace
    CROSS JOIN LATERAL aclexplode(d.defaclacl) AS acl
    LEFT JOIN pg_roles r ON r.oid = acl.grantee
    WHERE d.defaclobjtype = 'r' AND acl.grantee <> d.defaclrole
      AND coalesce(r.rolname, 'public') = ANY(:roles)
      AND n.nspname IS DISTINCT FROM :but_schema
    GROUP BY 1, 2, 3 ORDER BY 1, 2 NULLS FIRST, 3
""")


@dataclass(frozen=True)
class Privilege:
    """One privilege that a role was granted on an object; `role` is "public" for all roles.

    `is_owner` where it is the owner's own; `column` where it is for that column alone.
    """

    oid: int
    name: str
    role: str
    is_owner: bool
    privilege: str
    column: str | None


@dataclass(frozen=True)
class DefaultPrivileges:
    """What `role` is granted on each table that `creator` makes, in `schema` or in any."""

    creator: str
    schema: str | None
    role: str
    privileges: tuple[str, ...]


@dataclass(frozen=True)
class Access:
    """What a role may do with a table; `missing` are those of the privileges that it lacks."""

    superuser: bool
    bypasses_policies: bool
    owns: bool
    enters_schema: bool
    missing: tuple[str, ...]


def relation_privileges(connection: Connection, names: Collection[str]) -> list[Privilege]:
    """Return the privileges on tables, views or sequences, whose names are given as SQL."""
    return _granted(connection, _ON_RELATIONS, {"names": list(names)})


def function_privileges(connection: Connection, names: Collection[str]) -> list[Privilege]:
    """Return the privileges on functions, given as `schema.name(type, ...)`."""
    return _granted(connection, _ON_FUNCTIONS, {"names": list(names)})


def schema_users(connection: Connection, *, but: str) -> Mapping[str, set[str]]:
    """Return, of each schema but the default one and `but`, the roles that were granted USAGE."""
    users: dict[str, set[str]] = {}
    for row in connection.execute(_ON_SCHEMAS, {"but": but}):
        roles = users.setdefault(row.name, set())
        if row.privilege == "USAGE" and not row.is_owner:
            roles.add(row.role)
    return users


def default_privileges(
    connection: Connection, roles: Collection[str], *, but_schema: str
) -> list[DefaultPrivileges]:
    """Return what ALTER DEFAULT PRIVILEGES grants one of the roles on new tables."""
    asked = {"roles": list(roles), "but_schema": but_schema}
    rows = connection.execute(_BY_DEFAULT, asked).mappings()
    return [DefaultPrivileges(**{**row, "privileges": tuple(row["privileges"])}) for row in rows]


def access(
    connection: Connection, role: str, table: int, privileges: Collection[str]
) -> Access | None:
    """Return what a role may do with a table; None where there is no such role."""
    asked = {"role": role, "table": table, "privileges": list(privileges)}
    row = connection.execute(_ACCESS, asked).mappings().one_or_none()
    return None if row is None else Access(**{**row, "missing": tuple(row["missing"])})


def may_read(connection: Connection, name: str) -> bool:
    """Return whether the current role may read all columns of a table, whose name is SQL."""
    return bool(connection.scalar(_MAY_READ, {"name": name}))


def reads_all_columns(connection: Connection, role: str, table: int) -> bool:
    """Return whether a role may read all columns of a table."""
    return bool(connection.scalar(_READS_ALL, {"role": role, "table": table}))


def _granted(
    connection: Connection, query: TextClause, parameters: Mapping[str, Any]
) -> list[Privilege]:
    rows = connection.execute(query, parameters).mappings()
    return [Privilege(**row) for row in rows if row["privilege"] is not None]
