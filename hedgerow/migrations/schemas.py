"""Schemas other than the default one: made where missing, and open to the project's roles."""

from collections.abc import Collection, Iterable
from typing import Any, ClassVar

from alembic.operations import MigrateOperation, Operations
from sqlalchemy import Connection, text

from hedgerow import sql
from hedgerow.config.roles import RoleNames
from hedgerow.migrations.operations import RowSecurityOp, run
from hedgerow.provisioning import functions

_USERS = text("""
    SELECT n.nspname AS schema, coalesce(r.rolname, 'public') AS role
    FROM pg_namespace n
    LEFT JOIN LATERAL aclexplode(n.nspacl) AS acl
        ON acl.privilege_type = 'USAGE' AND acl.grantee <> n.nspowner
    LEFT JOIN pg_roles r ON r.oid = acl.grantee
    WHERE n.nspname <> ALL(ARRAY[:own, current_schema()]::text[])
""")


class _SchemaOp(RowSecurityOp):
    opposite: ClassVar[type["_SchemaOp"]]

    def __init__(self, schema: str) -> None:
        self.schema = schema

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.schema,), {}

    def reverse(self) -> MigrateOperation:
        return self.opposite(self.schema)


@Operations.register_operation("create_schema")
class CreateSchemaOp(_SchemaOp):
    """Create a schema."""

    call = "create_schema"

    @classmethod
    def create_schema(cls, operations: Operations, schema: str) -> None:
        """Create a schema, which belongs to the owner; it must not exist yet."""
        operations.invoke(cls(schema))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (f"CREATE SCHEMA {sql.name(self.schema)}",)


@Operations.register_operation("drop_schema")
class DropSchemaOp(_SchemaOp):
    """Drop a schema."""

    call = "drop_schema"
    opposite = CreateSchemaOp

    @classmethod
    def drop_schema(cls, operations: Operations, schema: str) -> None:
        """Drop a schema, which must be empty."""
        operations.invoke(cls(schema))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (f"DROP SCHEMA {sql.name(self.schema)}",)


class _SchemaUsageOp(RowSecurityOp):
    opposite: ClassVar[type["_SchemaUsageOp"]]

    def __init__(self, schema: str, role: str) -> None:
        self.schema = schema
        self.role = role

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.schema,), {"role": self.role}

    def reverse(self) -> MigrateOperation:
        return self.opposite(self.schema, self.role)


@Operations.register_operation("grant_schema")
class GrantSchemaOp(_SchemaUsageOp):
    """Let a role reach what is in a schema."""

    call = "grant_schema"

    @classmethod
    def grant_schema(cls, operations: Operations, schema: str, *, role: str) -> None:
        """Grant USAGE on a schema, without which no grant on its tables has effect."""
        operations.invoke(cls(schema, role))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        role = sql.role_name(roles.deployed(self.role))
        return (f"GRANT USAGE ON SCHEMA {sql.name(self.schema)} TO {role}",)


@Operations.register_operation("revoke_schema")
class RevokeSchemaOp(_SchemaUsageOp):
    """Close a schema to a role."""

    call = "revoke_schema"
    opposite = GrantSchemaOp

    @classmethod
    def revoke_schema(cls, operations: Operations, schema: str, *, role: str) -> None:
        """Revoke USAGE on a schema."""
        operations.invoke(cls(schema, role))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        role = sql.role_name(roles.deployed(self.role))
        return (f"REVOKE USAGE ON SCHEMA {sql.name(self.schema)} FROM {role}",)


CreateSchemaOp.opposite = DropSchemaOp
GrantSchemaOp.opposite = RevokeSchemaOp

for _operation in (CreateSchemaOp, DropSchemaOp, GrantSchemaOp, RevokeSchemaOp):
    Operations.implementation_for(_operation)(run)


def used_schemas(connection: Connection, roles: RoleNames) -> set[str]:
    """Return the schemas that were opened to the application role by name.

    They are the project's, also once no model lives there any more.
    """
    users = _users(connection, roles)
    return {schema for schema, names in users.items() if RoleNames.app in names}


def compare_schemas(
    connection: Connection, declared: Collection[str | None], roles: RoleNames
) -> tuple[list[MigrateOperation], list[MigrateOperation]]:
    """Return what to do before the tables, and what after them.

    A schema that no model uses any more is closed to the roles, not dropped: who knows what else
    is in it.
    """
    live = _users(connection, roles)
    wanted = {schema for schema in declared if schema is not None}
    first: list[MigrateOperation] = []
    last: list[MigrateOperation] = []
    for schema in sorted(wanted | used_schemas(connection, roles)):
        if schema not in live:
            first.append(CreateSchemaOp(schema))
        for role in (RoleNames.app, RoleNames.admin, RoleNames.read_only_admin):
            may, should = role in live.get(schema, ()), schema in wanted
            if should and not may:
                last.append(GrantSchemaOp(schema, role))
            elif may and not should:
                first.append(RevokeSchemaOp(schema, role))
    return first, last


def _users(connection: Connection, roles: RoleNames) -> dict[str, set[str]]:
    """Return, of each schema but the default one, the roles that were given USAGE."""
    users: dict[str, set[str]] = {}
    for row in connection.execute(_USERS, {"own": functions.SCHEMA}):
        users.setdefault(row.schema, set()).add(roles.documented(row.role))
    return users
