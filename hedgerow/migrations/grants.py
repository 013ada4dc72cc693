"""Alembic operations that give privileges to the project's roles, and take them back."""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from alembic.operations import MigrateOperation

from hedgerow import sql
from hedgerow.config.roles import RoleNames
from hedgerow.migrations.operation import RowSecurityOp, operation


@dataclass(frozen=True)
class _TablePrivilegeOp(RowSecurityOp):
    table_name: str
    privileges: Sequence[str]
    _: KW_ONLY
    role: str
    schema: str | None = None

    verb: ClassVar[str]
    preposition: ClassVar[str]

    def statements(self, roles: RoleNames) -> Iterable[str]:
        before, after = _around_target(self, roles)
        return (f"{before} TABLE {sql.table_name(self.table_name, self.schema)} {after}",)


@operation("grant_table")
class GrantTableOp(_TablePrivilegeOp):
    """Grant table privileges; TRUNCATE and REFERENCES go round row security (P9)."""

    verb, preposition = "GRANT", "TO"

    def reverse(self) -> MigrateOperation:
        return self.turned_into(RevokeTableOp)


@operation("revoke_table")
class RevokeTableOp(_TablePrivilegeOp):
    """Revoke table privileges from a role."""

    before_tables = True
    verb, preposition = "REVOKE", "FROM"

    def reverse(self) -> MigrateOperation:
        return self.turned_into(GrantTableOp)


@dataclass(frozen=True)
class _SequencePrivilegeOp(RowSecurityOp):
    table_name: str
    column_name: str
    privileges: Sequence[str]
    _: KW_ONLY
    role: str
    schema: str | None = None

    verb: ClassVar[str]
    preposition: ClassVar[str]

    def statements(self, roles: RoleNames) -> Iterable[str]:
        """Have the server look the sequence up: it names SERIAL's, and cuts long names off."""
        target = sql.text_literal(sql.table_name(self.table_name, self.schema))
        before, after = _around_target(self, roles)
        body = (
            f"BEGIN EXECUTE {sql.text_literal(f'{before} SEQUENCE ')}"
            f" || pg_get_serial_sequence({target}, {sql.text_literal(self.column_name)})"
            f" || {sql.text_literal(f' {after}')}; END"
        )
        return (f"DO {sql.text_literal(body)}",)


@operation("grant_sequence")
class GrantSequenceOp(_SequencePrivilegeOp):
    """Grant privileges on the sequence that belongs to a column; INSERT needs USAGE."""

    verb, preposition = "GRANT", "TO"

    def reverse(self) -> MigrateOperation:
        return self.turned_into(RevokeSequenceOp)


@operation("revoke_sequence")
class RevokeSequenceOp(_SequencePrivilegeOp):
    """Revoke privileges on the sequence that belongs to a column."""

    before_tables = True
    verb, preposition = "REVOKE", "FROM"

    def reverse(self) -> MigrateOperation:
        return self.turned_into(GrantSequenceOp)


def _around_target(
    operation: _TablePrivilegeOp | _SequencePrivilegeOp, roles: RoleNames
) -> tuple[str, str]:
    """Return the parts of the statement before and after the table or sequence."""
    role = sql.role_name(roles.deployed(operation.role))
    privileges = ", ".join(operation.privileges)
    return f"{operation.verb} {privileges} ON", f"{operation.preposition} {role}"
