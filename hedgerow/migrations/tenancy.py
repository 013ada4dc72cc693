"""Alembic operations for what a project with tenants leans on: who is a member, and who stays."""

from collections.abc import Iterable
from dataclasses import KW_ONLY, asdict, dataclass, fields
from typing import ClassVar, Self

from hedgerow import sql
from hedgerow.config.roles import RoleNames
from hedgerow.migrations.operation import RemovalOp, RowSecurityOp, operation
from hedgerow.policies.tenancy import Tenancy
from hedgerow.policies.tenancy_sql import (
    SIGNATURES,
    bare_name,
    create_statements,
    drop_statements,
)


@operation("create_tenancy")
@dataclass(frozen=True)
class CreateTenancyOp(RowSecurityOp):
    """Make `rls.tenants(roles)`, the tenants in which the asking user is a member, and the like.

    `members` is the table of memberships: its `tenant` refers to `key` of the table `tenants`, and
    `role` is None where members have no roles. Triggers keep an `owner` in each tenant and, with
    `founding`, make who inserts a tenant its first. With `co_members` a function tells who shares
    a tenant with the asking user.
    """

    order = -1  # policies call the functions

    members: str
    tenants: str
    _: KW_ONLY
    key: str
    tenant: str
    user: str
    role: str | None
    owner: str
    founding: bool
    co_members: bool
    tenant_type: str
    user_type: str
    schema: str | None = None
    tenants_schema: str | None = None

    @classmethod
    def of(cls, tenancy: Tenancy) -> Self:
        """Return what makes a tenancy."""
        return cls(**asdict(tenancy))

    @property
    def tenancy(self) -> Tenancy:
        """What it makes."""
        return Tenancy(**{one.name: getattr(self, one.name) for one in fields(Tenancy)})

    def statements(self, roles: RoleNames) -> Iterable[str]:
        return create_statements(self.tenancy)

    def reverse(self) -> "DropTenancyOp":
        return DropTenancyOp(
            self.members,
            self.tenants,
            schema=self.schema,
            tenants_schema=self.tenants_schema,
            _reverse=self,
        )


@operation("drop_tenancy")
@dataclass(frozen=True)
class DropTenancyOp(RemovalOp):
    """Drop what `create_tenancy` made; no policy may call its functions any more."""

    order = 1
    goes_with_table = False

    members: str
    tenants: str
    _: KW_ONLY
    schema: str | None = None
    tenants_schema: str | None = None

    functions: ClassVar[frozenset[str]] = frozenset(map(bare_name, SIGNATURES))
    """The names of the functions in schema `rls` that it drops."""

    def statements(self, roles: RoleNames) -> Iterable[str]:
        members = sql.table_name(self.members, self.schema)
        return drop_statements(members, sql.table_name(self.tenants, self.tenants_schema))
