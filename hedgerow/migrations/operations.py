"""Alembic operations for schema `rls`, and for row security and policies of a table."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import ClassVar, Self, cast

from alembic.operations import MigrateOperation

from hedgerow import sql
from hedgerow.catalogs.policies import Command
from hedgerow.config.roles import RoleNames
from hedgerow.config.row_security import IdType
from hedgerow.migrations.operation import RemovalOp, RowSecurityOp, operation
from hedgerow.policies.policy import Policy, create_policy_statement, drop_policy_statement
from hedgerow.provisioning import functions


@dataclass(frozen=True)
class _FunctionsOp(RowSecurityOp):
    _: KW_ONLY
    id_type: IdType


@operation("create_rls_functions")
class CreateFunctionsOp(_FunctionsOp):
    """Make schema `rls`: `rls.user_id()` returns `id_type`, `rls.role()` text."""

    before_tables = True

    def statements(self, roles: RoleNames) -> Iterable[str]:
        # Plain for now: the environment defines them signed where the settings say so.
        return (
            *functions.create_statements(),
            *functions.define_statements(self.id_type, signed=False),
        )

    def reverse(self) -> MigrateOperation:
        return self.turned_into(DropFunctionsOp)


@operation("drop_rls_functions")
class DropFunctionsOp(_FunctionsOp):
    """Remove schema `rls`; `id_type` says what the way back would make."""

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return functions.drop_statements()

    def reverse(self) -> MigrateOperation:
        return self.turned_into(CreateFunctionsOp)


@dataclass(frozen=True)
class _SwitchOp(RowSecurityOp):
    """Switch one property of a table's row security."""

    table_name: str
    _: KW_ONLY
    schema: str | None = None

    verb: ClassVar[str]

    def statements(self, roles: RoleNames) -> Iterable[str]:
        target = sql.table_name(self.table_name, self.schema)
        return (f"ALTER TABLE {target} {self.verb} ROW LEVEL SECURITY",)


@operation("enable_rls")
class EnableOp(_SwitchOp):
    """Enable row security on a table."""

    # Without this the policies do nothing (P37).
    verb = "ENABLE"

    def reverse(self) -> MigrateOperation:
        return self.turned_into(DisableOp)


@operation("disable_rls")
class DisableOp(_SwitchOp):
    """Disable row security on a table; its policies stay."""

    before_tables = True
    verb = "DISABLE"

    def reverse(self) -> MigrateOperation:
        return self.turned_into(EnableOp)


@operation("force_rls")
class ForceOp(_SwitchOp):
    """Force row security on a table's owner."""

    verb = "FORCE"

    def reverse(self) -> MigrateOperation:
        return self.turned_into(NoForceOp)


@operation("no_force_rls")
class NoForceOp(_SwitchOp):
    """Force row security on a table's owner no longer."""

    before_tables = True
    verb = "NO FORCE"

    def reverse(self) -> MigrateOperation:
        return self.turned_into(ForceOp)


@operation("create_rls_policy")
@dataclass(frozen=True)
class CreatePolicyOp(RowSecurityOp):
    """Create a policy; `using` and `with_check` are SQL expressions, `roles` default names."""

    policy_name: str
    table_name: str
    _: KW_ONLY
    command: Command
    roles: Sequence[str]
    using: str | None = None
    with_check: str | None = None
    permissive: bool = True
    schema: str | None = None

    @classmethod
    def of(cls, policy: Policy, table_name: str, schema: str | None) -> Self:
        """Return what creates a `policy` whose conditions are SQL text."""
        return cls(
            policy.name,
            table_name,
            command=policy.command,
            roles=policy.roles,
            using=cast("str | None", policy.using),
            with_check=cast("str | None", policy.with_check),
            permissive=policy.permissive,
            schema=schema,
        )

    def statements(self, roles: RoleNames) -> Iterable[str]:
        policy = Policy(
            self.policy_name,
            self.command,
            tuple(self.roles),
            self.using,
            self.with_check,
            self.permissive,
        )
        return (create_policy_statement(policy, self.table_name, self.schema, roles),)

    def reverse(self) -> "DropPolicyOp":
        return DropPolicyOp(self.policy_name, self.table_name, schema=self.schema, _reverse=self)


@operation("drop_rls_policy")
@dataclass(frozen=True)
class DropPolicyOp(RemovalOp):
    """Drop a policy."""

    policy_name: str
    table_name: str
    _: KW_ONLY
    schema: str | None = None

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (drop_policy_statement(self.policy_name, self.table_name, self.schema),)

    def names(self, things: Iterable[str]) -> bool:
        """Return whether a condition of the policy names one of these tables or functions.

        Rather once too often: it looks for the name in what autogenerate has read.
        """
        if not isinstance(self._reverse, CreatePolicyOp):
            return False
        conditions = f"{self._reverse.using} {self._reverse.with_check}"
        quoted = (re.escape(thing.replace('"', '""')) for thing in things)
        return any(re.search(rf"(?<!\w){thing}(?!\w)", conditions) for thing in quoted)
