"""Alembic operations for row security, with literal arguments and exact reversals.

A migration names roles by their default names; the deployment's own names take their place as the
migration runs (`RoleNames.deployed`), so one file serves every environment.
"""

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from alembic.operations import MigrateOperation, Operations

from hedgerow import sql
from hedgerow.config.roles import RoleNames
from hedgerow.config.row_security import IdType, RowSecurity
from hedgerow.policies.policy import Command, Policy, create_policy_statement, drop_policy_statement
from hedgerow.provisioning import functions

ROW_SECURITY_OPTION = "row_security"
"""The key under which `context.configure` is given the project's RowSecurity."""


class RowSecurityOp(MigrateOperation):
    """An operation that is a few SQL statements, and one call in a revision."""

    call: ClassVar[str]
    """The name of the operation on `alembic.op`."""

    begins_group: bool = False
    """Whether a revision shows it after a blank line."""

    def statements(self, roles: RoleNames) -> Iterable[str]:
        """Return what to run, with `roles` as this deployment names them."""
        raise NotImplementedError

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of the call in a revision; those that are None are left out."""
        raise NotImplementedError

    def to_diff_tuple(self) -> tuple[Any, ...]:
        """Return how `alembic check` shows this."""
        positional, named = self.arguments()
        return (self.call, *positional, *(f"{k}={v!r}" for k, v in named.items() if v is not None))


def run(operations: Operations, operation: RowSecurityOp) -> None:
    """Run an operation's statements, or print them in offline mode."""
    row_security = operations.get_context().opts.get(ROW_SECURITY_OPTION, RowSecurity())
    for statement in operation.statements(row_security.roles):
        operations.execute(sql.Statement(statement))


class _FunctionsOp(RowSecurityOp):
    def __init__(self, id_type: IdType) -> None:
        self.id_type = id_type

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (), {"id_type": self.id_type}


@Operations.register_operation("create_rls_functions")
class CreateFunctionsOp(_FunctionsOp):
    """Make schema `rls` with the functions that policies call."""

    call = "create_rls_functions"

    @classmethod
    def create_rls_functions(cls, operations: Operations, *, id_type: IdType) -> None:
        """Make schema `rls`: `rls.user_id()` returns `id_type`, `rls.role()` text."""
        operations.invoke(cls(id_type))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        # Plain for now: the environment defines them signed where the settings say so.
        return (
            *functions.create_statements(),
            *functions.define_statements(self.id_type, signed=False),
        )

    def reverse(self) -> MigrateOperation:
        return DropFunctionsOp(self.id_type)


@Operations.register_operation("drop_rls_functions")
class DropFunctionsOp(_FunctionsOp):
    """Remove schema `rls`."""

    call = "drop_rls_functions"

    @classmethod
    def drop_rls_functions(cls, operations: Operations, *, id_type: IdType) -> None:
        """Remove schema `rls`; `id_type` says what the way back would make."""
        operations.invoke(cls(id_type))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return functions.drop_statements()

    def reverse(self) -> MigrateOperation:
        return CreateFunctionsOp(self.id_type)


class _SwitchOp(RowSecurityOp):
    """Switch one property of a table's row security."""

    verb: ClassVar[str]
    opposite: ClassVar[type["_SwitchOp"]]

    def __init__(self, table_name: str, *, schema: str | None = None) -> None:
        self.table_name = table_name
        self.schema = schema

    def statements(self, roles: RoleNames) -> Iterable[str]:
        target = sql.table_name(self.table_name, self.schema)
        return (f"ALTER TABLE {target} {self.verb} ROW LEVEL SECURITY",)

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.table_name,), {"schema": self.schema}

    def reverse(self) -> MigrateOperation:
        return self.opposite(self.table_name, schema=self.schema)


@Operations.register_operation("enable_rls")
class EnableOp(_SwitchOp):
    """Have PostgreSQL enforce a table's policies; without this they do nothing (P37)."""

    call = "enable_rls"
    verb = "ENABLE"

    @classmethod
    def enable_rls(
        cls, operations: Operations, table_name: str, *, schema: str | None = None
    ) -> None:
        """Enable row security on a table."""
        operations.invoke(cls(table_name, schema=schema))


@Operations.register_operation("disable_rls")
class DisableOp(_SwitchOp):
    """Have PostgreSQL ignore a table's policies."""

    call = "disable_rls"
    verb = "DISABLE"
    opposite = EnableOp

    @classmethod
    def disable_rls(
        cls, operations: Operations, table_name: str, *, schema: str | None = None
    ) -> None:
        """Disable row security on a table; its policies stay."""
        operations.invoke(cls(table_name, schema=schema))


@Operations.register_operation("force_rls")
class ForceOp(_SwitchOp):
    """Subject the table's owner to its policies too."""

    call = "force_rls"
    verb = "FORCE"

    @classmethod
    def force_rls(
        cls, operations: Operations, table_name: str, *, schema: str | None = None
    ) -> None:
        """Force row security on a table's owner."""
        operations.invoke(cls(table_name, schema=schema))


@Operations.register_operation("no_force_rls")
class NoForceOp(_SwitchOp):
    """Let the table's owner go round its policies."""

    call = "no_force_rls"
    verb = "NO FORCE"
    opposite = ForceOp

    @classmethod
    def no_force_rls(
        cls, operations: Operations, table_name: str, *, schema: str | None = None
    ) -> None:
        """Force row security on a table's owner no longer."""
        operations.invoke(cls(table_name, schema=schema))


EnableOp.opposite = DisableOp
ForceOp.opposite = NoForceOp


class _PolicyOp(RowSecurityOp):
    def __init__(self, table_name: str, policy: Policy, *, schema: str | None = None) -> None:
        self.table_name = table_name
        self.policy = policy
        self.schema = schema


@Operations.register_operation("create_rls_policy")
class CreatePolicyOp(_PolicyOp):
    """Create one policy."""

    call = "create_rls_policy"

    @classmethod
    def create_rls_policy(
        cls,
        operations: Operations,
        policy_name: str,
        table_name: str,
        *,
        command: Command,
        roles: Sequence[str],
        using: str | None = None,
        with_check: str | None = None,
        permissive: bool = True,
        schema: str | None = None,
    ) -> None:
        """Create a policy; `using` and `with_check` are SQL expressions, `roles` default names."""
        policy = Policy(policy_name, command, tuple(roles), using, with_check, permissive)
        operations.invoke(cls(table_name, policy, schema=schema))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (create_policy_statement(self.policy, self.table_name, self.schema, roles),)

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        policy = self.policy
        return (policy.name, self.table_name), {
            "command": policy.command,
            "roles": list(policy.roles),
            "using": policy.using,
            "with_check": policy.with_check,
            "permissive": None if policy.permissive else False,
            "schema": self.schema,
        }

    def reverse(self) -> MigrateOperation:
        return DropPolicyOp(self.table_name, self.policy, schema=self.schema)


@Operations.register_operation("drop_rls_policy")
class DropPolicyOp(_PolicyOp):
    """Drop one policy; from autogenerate it knows which, for the way back."""

    call = "drop_rls_policy"

    @classmethod
    def drop_rls_policy(
        cls,
        operations: Operations,
        policy_name: str,
        table_name: str,
        *,
        schema: str | None = None,
    ) -> None:
        """Drop a policy."""
        operations.invoke(cls(table_name, Policy(policy_name, "ALL"), schema=schema))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (drop_policy_statement(self.policy.name, self.table_name, self.schema),)

    def arguments(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        return (self.policy.name, self.table_name), {"schema": self.schema}

    def reverse(self) -> MigrateOperation:
        return CreatePolicyOp(self.table_name, self.policy, schema=self.schema)


for _operation in (
    CreateFunctionsOp,
    DropFunctionsOp,
    EnableOp,
    DisableOp,
    ForceOp,
    NoForceOp,
    CreatePolicyOp,
    DropPolicyOp,
):
    Operations.implementation_for(_operation)(run)
