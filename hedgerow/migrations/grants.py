"""Alembic operations that give privileges to the project's roles, and take them back."""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from alembic.operations import MigrateOperation, Operations

from hedgerow import sql
from hedgerow.config.roles import RoleNames
from hedgerow.migrations.operations import RowSecurityOp, run


class _PrivilegeOp(RowSecurityOp):
    """Give or take privileges on a table, or on what belongs to its column: `names` says which."""

    verb: ClassVar[str]
    preposition: ClassVar[str]
    opposite: ClassVar[type["_PrivilegeOp"]]

    def __init__(
        self, names: tuple[str, ...], privileges: Sequence[str], role: str, schema: str | None
    ) -> None:
        self.names = names
        self.privileges = tuple(privileges)
        self.role = role
        self.schema = schema

    @property
    def table_name(self) -> str:
        return self.names[0]

    def around_target(self, roles: RoleNames) -> tuple[str, str]:
        """Return what stands in the statement before the thing, and what after it."""
        role = sql.role_name(roles.deployed(self.role))
        return f"{self.verb} {', '.join(self.privileges)} ON", f"{self.preposition} {role}"

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (*self.names, list(self.privileges)), {"role": self.role, "schema": self.schema}

    def reverse(self) -> MigrateOperation:
        return self.opposite(self.names, self.privileges, self.role, self.schema)


class _TablePrivilegeOp(_PrivilegeOp):
    def statements(self, roles: RoleNames) -> Iterable[str]:
        before, after = self.around_target(roles)
        return (f"{before} TABLE {sql.table_name(self.table_name, self.schema)} {after}",)


@Operations.register_operation("grant_table")
class GrantTableOp(_TablePrivilegeOp):
    """Let a role use a table."""

    call, verb, preposition = "grant_table", "GRANT", "TO"

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
        operations.invoke(cls((table_name,), privileges, role, schema))


@Operations.register_operation("revoke_table")
class RevokeTableOp(_TablePrivilegeOp):
    """Take table privileges back."""

    call, verb, preposition = "revoke_table", "REVOKE", "FROM"
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
        operations.invoke(cls((table_name,), privileges, role, schema))


class _SequencePrivilegeOp(_PrivilegeOp):
    def statements(self, roles: RoleNames) -> Iterable[str]:
        """Have the server look the sequence up: it names SERIAL's, and cuts long names off."""
        table, column = self.names
        target = sql.text_literal(sql.table_name(table, self.schema))
        before, after = self.around_target(roles)
        body = (
            f"BEGIN EXECUTE {sql.text_literal(f'{before} SEQUENCE ')}"
            f" || pg_get_serial_sequence({target}, {sql.text_literal(column)})"
            f" || {sql.text_literal(f' {after}')}; END"
        )
        return (f"DO {sql.text_literal(body)}",)


@Operations.register_operation("grant_sequence")
class GrantSequenceOp(_SequencePrivilegeOp):
    """Let a role draw the numbers of a SERIAL column."""

    call, verb, preposition = "grant_sequence", "GRANT", "TO"

    @classmethod
    def grant_sequence(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str,
        privileges: Sequence[str],
        *,
        role: str,
        schema: str | None = None,
    ) -> None:
        """Grant privileges on the sequence that belongs to a column; INSERT needs USAGE."""
        operations.invoke(cls((table_name, column_name), privileges, role, schema))


@Operations.register_operation("revoke_sequence")
class RevokeSequenceOp(_SequencePrivilegeOp):
    """Take privileges on a column's sequence back."""

    call, verb, preposition = "revoke_sequence", "REVOKE", "FROM"
    opposite = GrantSequenceOp

    @classmethod
    def revoke_sequence(
        cls,
        operations: Operations,
        table_name: str,
        column_name: str,
        privileges: Sequence[str],
        *,
        role: str,
        schema: str | None = None,
    ) -> None:
        """Revoke privileges on the sequence that belongs to a column."""
        operations.invoke(cls((table_name, column_name), privileges, role, schema))


GrantTableOp.opposite = RevokeTableOp
GrantSequenceOp.opposite = RevokeSequenceOp

for _operation in (GrantTableOp, RevokeTableOp, GrantSequenceOp, RevokeSequenceOp):
    Operations.implementation_for(_operation)(run)
