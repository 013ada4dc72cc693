"""Schemas other than the default one: made where missing, and open to the project's roles."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import KW_ONLY, dataclass

from alembic.operations import MigrateOperation
from sqlalchemy import Connection

from hedgerow import sql
from hedgerow.catalogs.privileges import schema_users
from hedgerow.config.roles import RoleNames
from hedgerow.migrations.operation import RowSecurityOp, operation
from hedgerow.provisioning import functions


@dataclass(frozen=True)
class _SchemaOp(RowSecurityOp):
    schema: str

    before_tables = True


@operation("create_schema")
class CreateSchemaOp(_SchemaOp):
    """Create a schema, which belongs to the owner; it must not exist yet."""

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (f"CREATE SCHEMA {sql.name(self.schema)}",)

    def reverse(self) -> MigrateOperation:
        return self.turned_into(DropSchemaOp)


@operation("drop_schema")
class DropSchemaOp(_SchemaOp):
    """Drop a schema, which must be empty."""

    goes_with_table = False

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (f"DROP SCHEMA {sql.name(self.schema)}",)

    def reverse(self) -> MigrateOperation:
        return self.turned_into(CreateSchemaOp)


@dataclass(frozen=True)
class _SchemaUsageOp(RowSecurityOp):
    schema: str
    _: KW_ONLY
    role: str


@operation("grant_schema")
class GrantSchemaOp(_SchemaUsageOp):
    """Grant USAGE on a schema, without which no grant on its tables has effect."""

    def statements(self, roles: RoleNames) -> Iterable[str]:
        role = sql.role_name(roles.deployed(self.role))
        return (f"GRANT USAGE ON SCHEMA {sql.name(self.schema)} TO {role}",)

    def reverse(self) -> MigrateOperation:
        return self.turned_into(RevokeSchemaOp)


@operation("revoke_schema")
class RevokeSchemaOp(_SchemaUsageOp):
    """Revoke USAGE on a schema."""

    before_tables = True

    def statements(self, roles: RoleNames) -> Iterable[str]:
        role = sql.role_name(roles.deployed(self.role))
        return (f"REVOKE USAGE ON SCHEMA {sql.name(self.schema)} FROM {role}",)

    def reverse(self) -> MigrateOperation:
        return self.turned_into(GrantSchemaOp)


def used_schemas(connection: Connection, roles: RoleNames) -> set[str]:
    """Return the schemas that were opened to the application role by name.

    They are the project's, also once no model lives there any more.
    """
    users = _users(connection, roles)
    return {schema for schema, names in users.items() if RoleNames.app in names}


def compare_schemas(
    connection: Connection,
    declared: Collection[str | None],
    dropped: Collection[str | None],
    roles: RoleNames,
) -> Iterator[RowSecurityOp]:
    """Yield what makes the schemas of the models, and opens them to the project's roles.

    One whose tables this revision drops, and that no model uses any more, is closed to the roles,
    not dropped: it may hold more than the models' tables. Others are not ours.
    """
    live = _users(connection, roles)
    wanted = {schema for schema in declared if schema is not None}
    for schema in sorted(wanted | {schema for schema in dropped if schema is not None}):
        if schema not in live:
            yield CreateSchemaOp(schema)
        for role in (RoleNames.app, *RoleNames().taken):
            may, should = role in live.get(schema, ()), schema in wanted
            if should and not may:
                yield GrantSchemaOp(schema, role=role)
            elif may and not should:
                yield RevokeSchemaOp(schema, role=role)


def _users(connection: Connection, roles: RoleNames) -> dict[str, set[str]]:
    """Return, of each schema but the default one, the roles that were given USAGE."""
    users = schema_users(connection, but=functions.SCHEMA)
    return {schema: {roles.documented(role) for role in names} for schema, names in users.items()}
