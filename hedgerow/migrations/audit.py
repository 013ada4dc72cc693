"""Alembic operations for the audit trail: its tables, and the triggers of audited tables."""

from collections.abc import Iterable, Sequence
from typing import Any

from alembic.operations import MigrateOperation, Operations

from hedgerow.audit import functions as audit_functions
from hedgerow.audit import logins
from hedgerow.audit import schema as audit_schema
from hedgerow.audit.triggers import create_trigger_statement, drop_trigger_statement
from hedgerow.config.audit import AuditTrigger
from hedgerow.config.roles import RoleNames
from hedgerow.migrations.operations import RowSecurityOp, run
from hedgerow.provisioning import functions


class _AuditOp(RowSecurityOp):
    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (), {}


@Operations.register_operation("create_rls_audit")
class CreateAuditOp(_AuditOp):
    """Make the audit trail."""

    call = "create_rls_audit"

    @classmethod
    def create_rls_audit(cls, operations: Operations) -> None:
        """Make the tables of the audit trail in schema `rls`, and what writes them."""
        operations.invoke(cls())

    def statements(self, roles: RoleNames) -> Iterable[str]:
        yield from audit_schema.create_statements(roles)
        yield from audit_functions.define_statements(roles)
        yield audit_schema.CHAIN_TRIGGER

    def reverse(self) -> MigrateOperation:
        return DropAuditOp()


@Operations.register_operation("drop_rls_audit")
class DropAuditOp(_AuditOp):
    """Remove the audit trail."""

    call = "drop_rls_audit"

    @classmethod
    def drop_rls_audit(cls, operations: Operations) -> None:
        """Remove the audit trail with all that it holds: nothing brings it back."""
        operations.invoke(cls())

    def statements(self, roles: RoleNames) -> Iterable[str]:
        yield functions.without_audit_statement()
        yield f"DROP EVENT TRIGGER IF EXISTS {logins.NAME}"
        yield from audit_schema.drop_statements()
        yield from audit_functions.drop_statements()

    def reverse(self) -> MigrateOperation:
        return CreateAuditOp()


class _TriggerOp(RowSecurityOp):
    def __init__(
        self, table_name: str, trigger: AuditTrigger, *, schema: str | None = None
    ) -> None:
        self.table_name = table_name
        self.trigger = trigger
        self.schema = schema


@Operations.register_operation("create_audit_trigger")
class CreateAuditTriggerOp(_TriggerOp):
    """Have a table record what admins change in it."""

    call = "create_audit_trigger"

    @classmethod
    def create_audit_trigger(
        cls,
        operations: Operations,
        table_name: str,
        *,
        key: Sequence[str],
        owner: str | None = None,
        values: Sequence[str] = (),
        schema: str | None = None,
    ) -> None:
        """Record changes by `key` and `owner` column; old and new values of `values` alone."""
        trigger = AuditTrigger(tuple(key), owner, tuple(values))
        operations.invoke(cls(table_name, trigger, schema=schema))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (create_trigger_statement(self.trigger, self.table_name, self.schema, roles),)

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.table_name,), {
            "key": list(self.trigger.key),
            "owner": self.trigger.owner,
            "values": list(self.trigger.values) or None,
            "schema": self.schema,
        }

    def reverse(self) -> MigrateOperation:
        return DropAuditTriggerOp(self.table_name, self.trigger, schema=self.schema)


@Operations.register_operation("drop_audit_trigger")
class DropAuditTriggerOp(_TriggerOp):
    """Have a table record changes no more; from autogenerate it knows how it did."""

    call = "drop_audit_trigger"

    @classmethod
    def drop_audit_trigger(
        cls, operations: Operations, table_name: str, *, schema: str | None = None
    ) -> None:
        """Drop the trigger that records changes."""
        operations.invoke(cls(table_name, AuditTrigger((), None), schema=schema))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (drop_trigger_statement(self.table_name, self.schema),)

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.table_name,), {"schema": self.schema}

    def reverse(self) -> MigrateOperation:
        return CreateAuditTriggerOp(self.table_name, self.trigger, schema=self.schema)


for _operation in (CreateAuditOp, DropAuditOp, CreateAuditTriggerOp, DropAuditTriggerOp):
    Operations.implementation_for(_operation)(run)
