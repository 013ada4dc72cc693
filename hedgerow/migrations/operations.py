"""Alembic operations for row security, with literal arguments and exact reversals.

A migration names roles by their default names; the deployment's own names take their place as the
migration runs (`RoleNames.deployed`), so one file serves every environment.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar, Literal

from alembic.operations import MigrateOperation, Operations

from hedgerow import functions, sql
from hedgerow.policy import Command, Policy, create_policy_statement, drop_policy_statement
from hedgerow.row_security import IdType, RoleNames, RowSecurity

ROW_SECURITY_OPTION = "row_security"
"""The key under which `context.configure` is given the project's RowSecurity."""

Privilege = Literal["SELECT", "INSERT", "UPDATE", "DELETE"]


class RowSecurityOp(MigrateOperation):
    """An operation that is a few SQL statements."""

    def statements(self, roles: RoleNames) -> Iterable[str]:
        """Return what to run, with `roles` as this deployment names them."""
        raise NotImplementedError


def _run(operations: Operations, operation: RowSecurityOp) -> None:
    row_security = operations.get_context().opts.get(ROW_SECURITY_OPTION, RowSecurity())
    for statement in operation.statements(row_security.roles):
        operations.execute(sql.Statement(statement))


@Operations.register_operation("create_rls_functions")
class CreateFunctionsOp(RowSecurityOp):
    """Make schema `rls` with the functions that policies call."""

    def __init__(self, id_type: IdType) -> None:
        self.id_type = id_type

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
class DropFunctionsOp(RowSecurityOp):
    """Remove schema `rls`."""

    def __init__(self, id_type: IdType) -> None:
        self.id_type = id_type

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

    def reverse(self) -> MigrateOperation:
        return self.opposite(self.table_name, schema=self.schema)


@Operations.register_operation("enable_rls")
class EnableOp(_SwitchOp):
    """Have PostgreSQL enforce a table's policies; without this they do nothing (P37)."""

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

    verb = "DISABLE"
    opposite = EnableOp

    @classmethod
    def disable_rls(
        cls, operations: Operations, table_name: str, *, schema: str | None = None
    ) -> None:
        """Disable row security on a table; its policies stay."""
        operations.invoke(cls(table_name, schema=schema))


EnableOp.opposite = DisableOp


class _PolicyOp(RowSecurityOp):
    def __init__(self, table_name: str, policy: Policy, *, schema: str | None = None) -> None:
        self.table_name = table_name
        self.policy = policy
        self.schema = schema


@Operations.register_operation("create_rls_policy")
class CreatePolicyOp(_PolicyOp):
    """Create one policy."""

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

    def reverse(self) -> MigrateOperation:
        return DropPolicyOp(self.table_name, self.policy, schema=self.schema)


@Operations.register_operation("drop_rls_policy")
class DropPolicyOp(_PolicyOp):
    """Drop one policy."""

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
        policy = Policy(policy_name, "ALL", ())
        operations.invoke(cls(table_name, policy, schema=schema))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (drop_policy_statement(self.policy.name, self.table_name, self.schema),)

    def reverse(self) -> MigrateOperation:
        return CreatePolicyOp(self.table_name, self.policy, schema=self.schema)


class _GrantOp(RowSecurityOp):
    def __init__(
        self,
        table_name: str,
        privileges: Sequence[Privilege],
        role: str,
        *,
        schema: str | None = None,
    ) -> None:
        self.table_name = table_name
        self.privileges = tuple(privileges)
        self.role = role
        self.schema = schema

    def _clause(self, roles: RoleNames, preposition: str) -> str:
        target = sql.table_name(self.table_name, self.schema)
        role = sql.name(roles.deployed(self.role))
        return f"{', '.join(self.privileges)} ON TABLE {target} {preposition} {role}"


@Operations.register_operation("grant_table")
class GrantOp(_GrantOp):
    """Let a role use a table."""

    @classmethod
    def grant_table(
        cls,
        operations: Operations,
        table_name: str,
        privileges: Sequence[Privilege],
        *,
        role: str,
        schema: str | None = None,
    ) -> None:
        """Grant table privileges; TRUNCATE and REFERENCES go round row security (P9)."""
        operations.invoke(cls(table_name, privileges, role, schema=schema))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (f"GRANT {self._clause(roles, 'TO')}",)

    def reverse(self) -> MigrateOperation:
        return RevokeOp(self.table_name, self.privileges, self.role, schema=self.schema)


@Operations.register_operation("revoke_table")
class RevokeOp(_GrantOp):
    """Take table privileges back."""

    @classmethod
    def revoke_table(
        cls,
        operations: Operations,
        table_name: str,
        privileges: Sequence[Privilege],
        *,
        role: str,
        schema: str | None = None,
    ) -> None:
        """Revoke table privileges from a role."""
        operations.invoke(cls(table_name, privileges, role, schema=schema))

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return (f"REVOKE {self._clause(roles, 'FROM')}",)

    def reverse(self) -> MigrateOperation:
        return GrantOp(self.table_name, self.privileges, self.role, schema=self.schema)


for _operation in (
    CreateFunctionsOp,
    DropFunctionsOp,
    EnableOp,
    DisableOp,
    CreatePolicyOp,
    DropPolicyOp,
    GrantOp,
    RevokeOp,
):
    Operations.implementation_for(_operation)(_run)
