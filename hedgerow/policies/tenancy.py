"""The tenants of a project: which table says who is a member, and which holds the tenants."""

from dataclasses import dataclass

from sqlalchemy import MetaData, Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from hedgerow import sql
from hedgerow.errors import ConfigurationError
from hedgerow.policies import members_table
from hedgerow.policies.registry import scope_of, scoped_tables
from hedgerow.policies.scope import Scope
from hedgerow.policies.tenant_rows import MemberRows, Roles

FOUNDED = "rls.founded()"
"""The tenant that the running statement makes, in SQL."""


@dataclass(frozen=True)
class Tenancy:
    """Who belongs to which tenant, as the table `members` says, and what a tenant is.

    `tenant` refers to `key` of the table `tenants`; the types are those of `tenant` and `user`.
    `role` is None where members have no roles. `founding` says whether users make tenants,
    `co_members` whether a table shows a user's rows to who shares a tenant with them: only then
    does a function tell who does.
    """

    members: str
    tenants: str
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

    def of_asking_user(self, roles: Roles) -> str:
        """Return the tenants in which the asking user has one of the roles, as an array in SQL."""
        given = ""
        if roles is not None:
            given = f"ARRAY[{', '.join(map(sql.text_literal, sorted(roles)))}]"
        # Parentheses and type make it the array that ANY compares with, not a set of arrays.
        return f"((SELECT rls.tenants({given}))::{self.tenant_type}[])"

    @property
    def co_members_of_asking_user(self) -> str:
        """The users who share a tenant with the asking user, as an array in SQL."""
        return f"((SELECT rls.co_members())::{self.user_type}[])"

    @property
    def narrowing(self) -> str:
        """The condition under which a membership is of the tenant that the identity names."""
        named = "(SELECT rls.tenant_id())"
        return f"({named} IS NULL OR {sql.name(self.tenant)} = {named}::{self.tenant_type})"

    def is_members_table(self, table: Table) -> bool:
        """Whether the rows of `table` say who is a member."""
        return (table.schema, table.name) == (self.schema, self.members)

    def is_tenants_table(self, table: Table) -> bool:
        """Whether each row of `table` is a tenant."""
        return (table.schema, table.name) == (self.tenants_schema, self.tenants)


def tenancy_of(metadata: MetaData) -> Tenancy | None:
    """Return who belongs to which tenant, or None where no model declares `Scope.members`.

    Raises ConfigurationError where several do, or one contradicts its table.
    """
    declared = [
        (table, scope.member_rows) for table, scope in scoped_tables(metadata) if scope.member_rows
    ]
    if not declared:
        return None
    if len(declared) > 1:
        names = ", ".join(repr(table.fullname) for table, _ in declared)
        raise ConfigurationError(
            f"Tables {names} all declare Scope.members(), and a project has one kind of tenant:"
            " declare one of them so, and keep what is inside a tenant apart by roles or by"
            " Scope.through()."
        )
    [(table, rows)] = declared
    return _tenancy(table, rows)


def require_tenancy(table: Table, asked_by: str) -> Tenancy:
    """Return `tenancy_of` the table's project; raises ConfigurationError where there is none."""
    tenancy = tenancy_of(table.metadata)
    if tenancy is None:
        raise ConfigurationError(
            f"Table {table.fullname!r} is declared {asked_by}, and no table says who is a member"
            ' of which tenant: declare it with Scope.members(tenant="team_id"), and import the'
            " module of its model."
        )
    return tenancy


def _tenancy(table: Table, rows: MemberRows) -> Tenancy:
    place = f"Table {table.fullname!r} is declared Scope.members()"
    key = members_table.key_to_tenant(table, rows, place)
    members_table.check_unique(table, rows, place)
    roles = frozenset({rows.owner, *rows.admins}) if rows.role else frozenset[str]()
    members_table.check_roles(table, rows, roles, place)
    tenants = key.parent
    founding = _is_founded(tenants)
    if founding:
        members_table.check_defaults(table, rows, place)
    return Tenancy(
        members=table.name,
        tenants=tenants.name,
        key=key.parent_columns[0],
        tenant=rows.tenant,
        user=rows.user,
        role=rows.role,
        owner=rows.owner,
        founding=founding,
        co_members=any(
            scope.read == "co_members" and not scope.member_rows
            for _, scope in scoped_tables(table.metadata)
        ),
        tenant_type=_spelled(table.columns[rows.tenant].type),
        user_type=_spelled(table.columns[rows.user].type),
        schema=table.schema,
        tenants_schema=tenants.schema,
    )


def _is_founded(tenants: Table) -> bool:
    """Whether users make tenants, each its first owner."""
    scope = scope_of(tenants)
    return isinstance(scope, Scope) and scope.tenant_rows is not None and "INSERT" in scope.commands


def _spelled(kind: TypeEngine[object]) -> str:
    return str(kind.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
