"""Alembic operations that give privileges to the project's roles, and take them back."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from alembic.operations import MigrateOperation, Operations

from hedgerow import sql
from hedgerow.migrations.operations import RowSecurityOp, run
from hedgerow.row_security import RoleNames


class _PrivilegeOp(RowSecurityOp):
    verb: ClassVar[str]
    preposition: ClassVar[str]

    def __init__(self, role: str) -> None:
        self.role = role

    def privileges_on(self) -> str:
        """Return the part of the statement between its verb and the role."""
        raise NotImplementedError

    def statements(self, roles: RoleNames) -> Iterable[str]:
        role = sql.role_name(roles.deployed(self.role))
        return (f"{self.verb} {self.privileges_on()} {self.preposition} {role}",)


class _TablePrivilegeOp(_PrivilegeOp):
    opposite: ClassVar[type["_TablePrivilegeOp"]]

    def __init__(
        self, table_name: str, privileges: Sequence[str], role: str, *, schema: str | None = None
    ) -> None:
        super().__init__(role)
        self.table_name = table_name
        self.privileges = tuple(privileges)
        self.schema = schema

    def privileges_on(self) -> str:
        target = sql.table_name(self.table_name, self.schema)
        return f"{', '.join(self.privileges)} ON TABLE {target}"

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        named = {"role": self.role, "schema": self.schema}
        return (self.table_name, list(self.privileges)), named

    def reverse(self) -> MigrateOperation:
        return self.opposite(self.table_name, self.privileges, self.role, schema=self.schema)


@Operations.register_operation("grant_table")
class GrantTableOp(_TablePrivilegeOp):
    """Let a role use a table."""

    call = "grant_table"
    verb, preposition = "GRANT", "TO"

    @classmethod
    def grant_table(
        cls,
        operations: Operations,
        table_name: str,
        privileges: Sequence[str],
        *,
        role: str,
        schema: str | None = None,
    ) -> None:
        """Grant table privileges; TRUNCATE and REFERENCES go round row security (P9)."""
        operations.invoke(cls(table_name, privileges, role, schema=schema))


@Operations.register_operation("revoke_table")
class RevokeTableOp(_TablePrivilegeOp):
    """Take table privileges back."""

    call = "revoke_table"
    verb, preposition = "REVOKE", "FROM"
    opposite = GrantTableOp

    @classmethod
    def revoke_table(
        cls,
        operations: Operations,
        table_name: str,
        privileges: Sequence[str],
        *,
        role: str,
        schema: str | None = None,
    ) -> None:
        """Revoke table privileges from a role."""
        operations.invoke(cls(table_name, privileges, role, schema=schema))


GrantTableOp.opposite = RevokeTableOp

for _operation in (GrantTableOp, RevokeTableOp):
    Operations.implementation_for(_operation)(run)
