"""Alembic operations for the audit trail: its tables, and the triggers of audited tables."""

from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Self

from alembic.operations import MigrateOperation

from hedgerow.audit import functions as audit_functions
from hedgerow.audit import logins
from hedgerow.audit import schema as audit_schema
from hedgerow.audit.triggers import create_trigger_statement, drop_trigger_statement
from hedgerow.config.audit import AuditTrigger
from hedgerow.config.roles import RoleNames
from hedgerow.migrations.operation import RemovalOp, RowSecurityOp, operation
from hedgerow.provisioning import functions


@operation("create_rls_audit")
class CreateAuditOp(RowSecurityOp):
    """Make the tables of the audit trail in schema `rls`, and what writes them."""

    before_tables = True

    def statements(self, roles: RoleNames) -> Iterable[str]:
        yield from audit_schema.create_statements(roles)
        yield from audit_functions.define_statements(roles)
        yield audit_schema.CHAIN_TRIGGER

    def reverse(self) -> MigrateOperation:
        return DropAuditOp()


@operation("drop_rls_audit")
class DropAuditOp(RowSecurityOp):
    """Remove the audit trail with all that it holds: nothing brings it back."""

    def statements(self, roles: RoleNames) -> Iterable[str]:
        yield functions.without_audit_statement()
        yield f"DROP EVENT TRIGGER IF EXISTS {logins.NAME}"
        yield from audit_schema.drop_statements()
        yield from audit_functions.drop_statements()

    def reverse(self) -> MigrateOperation:
        return CreateAuditOp()


@operation("create_audit_trigger")
@dataclass(frozen=True)
class CreateAuditTriggerOp(RowSecurityOp):
    """Record changes by key, owner and tenant of a row; old and new values of `values` alone."""

    table_name: str
    _: KW_ONLY
    key: Sequence[str]
    owner: str | None = None
    values: Sequence[str] = ()
    tenant: str | None = None
    schema: str | None = None

    @classmethod
    def of(cls, trigger: AuditTrigger, table_name: str, schema: str | None) -> Self:
        """Return what creates `trigger` on a table."""
        return cls(
            table_name,
            key=trigger.key,
            owner=trigger.owner,
            values=trigger.values,
            tenant=trigger.tenant,
            schema=schema,
        )

    def statements(self, roles: RoleNames) -> Iterable[str]:
        trigger = AuditTrigger(tuple(self.key), self.owner, tuple(self.values), self.tenant)
        return (create_trigger_statement(trigger, self.table_name, self.schema, roles),)

    def reverse(self) -> "DropAuditTriggerOp":
        return DropAuditTriggerOp(self.table_name, schema=self.schema, _reverse=self)


@operation("drop_audit_trigger")
@dataclass(frozen=True)
class DropAuditTriggerOp(RemovalOp):
    """Drop the trigger that records changes."""

    table_name: str
    _: KW_ONLY
    schema: str | None = None

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (drop_trigger_statement(self.table_name, self.schema),)
