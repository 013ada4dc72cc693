"""The tenants of a project: which table says who is a member, and which holds the tenants."""

from dataclasses import dataclass

from sqlalchemy import Enum, MetaData, Table, UniqueConstraint
from sqlalchemy.dialects import postgresql
from sqlalchemy.types import TypeEngine

from hedgerow import sql
from hedgerow.errors import ConfigurationError
from hedgerow.policies.keys import Key, keys_of
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
    key = _key_to_tenant(table, rows, place)
    _check_unique(table, rows, place)
    roles = frozenset({rows.owner, *rows.admins}) if rows.role else frozenset[str]()
    _check_roles(table, rows, roles, place)
    tenants = key.parent
    founding = _is_founded(tenants)
    if founding:
        _check_defaults(table, rows, place)
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


def check_tenants(metadata: MetaData) -> None:
    """Raise ConfigurationError for declarations about tenants that cannot be meant."""
    tenancy_of(metadata)
    for table, scope in scoped_tables(metadata):
        rows = scope.tenant_rows
        if rows is None:
            if scope.read == "co_members":
                require_tenancy(table, 'read="co_members"')
            continue
        place = f"Table {table.fullname!r} is declared Scope.tenant({rows.column!r})"
        tenancy = require_tenancy(table, f"Scope.tenant({rows.column!r})")
        holder, members = _members_table(metadata)
        _check_roles(holder, members, rows.named, place)
        if tenancy.is_tenants_table(table):
            if rows.column != tenancy.key:
                raise ConfigurationError(
                    f"{place}, and its rows are the tenants themselves, by {tenancy.key!r}: leave"
                    " the column out."
                )
            continue
        keys = [key for key in keys_of(table) if key.columns == (rows.column,)]
        if any(not tenancy.is_tenants_table(key.parent) for key in keys):
            raise ConfigurationError(
                f"{place}, which refers to {keys[0].parent.fullname!r}, and tenants are the rows of"
                f" {tenancy.tenants!r}: name the column that refers to these."
            )


def _members_table(metadata: MetaData) -> tuple[Table, MemberRows]:
    return next(
        (table, scope.member_rows) for table, scope in scoped_tables(metadata) if scope.member_rows
    )


def _key_to_tenant(table: Table, rows: MemberRows, place: str) -> Key:
    for key in keys_of(table):
        if key.columns == (rows.tenant,):
            return key
    raise ConfigurationError(
        f"{place}, and {rows.tenant!r} has no foreign key to a table that is defined: give it one"
        " to the table of tenants, and import the module of its model."
    )


def _check_unique(table: Table, rows: MemberRows, place: str) -> None:
    """Raise ConfigurationError where one user could be a member of a tenant twice."""
    pair = {rows.tenant, rows.user}
    unique = [
        table.primary_key.columns.keys(),
        *(one.columns.keys() for one in table.constraints if isinstance(one, UniqueConstraint)),
        *(
            index.columns.keys()
            for index in table.indexes
            if index.unique and index.dialect_options["postgresql"]["where"] is None
        ),
    ]
    if not any(columns and pair.issuperset(columns) for columns in unique):
        raise ConfigurationError(
            f"{place}, and nothing keeps a user from being a member of a tenant twice: make"
            f" {rows.tenant!r} and {rows.user!r} its primary key, or give it a UniqueConstraint."
        )


def _check_roles(table: Table, rows: MemberRows, roles: frozenset[str], place: str) -> None:
    """Raise ConfigurationError for roles that no member of `table` can have."""
    if rows.role is None:
        if roles:
            raise ConfigurationError(
                f"{place} names roles ({', '.join(sorted(roles))}), and members have none: table"
                f" {table.fullname!r} is declared Scope.members(role=None)."
            )
        return
    kind = table.columns[rows.role].type
    if isinstance(kind, Enum) and (unknown := sorted(roles - set(kind.enums))):
        raise ConfigurationError(
            f"{place} names the role {unknown[0]!r}, and {table.name}.{rows.role} holds one of"
            f" {', '.join(kind.enums)}."
        )


def _is_founded(tenants: Table) -> bool:
    """Whether users make tenants, each its first owner."""
    scope = scope_of(tenants)
    return isinstance(scope, Scope) and scope.tenant_rows is not None and "INSERT" in scope.commands


def _check_defaults(table: Table, rows: MemberRows, place: str) -> None:
    """Raise ConfigurationError for a column that a founder's membership would leave empty."""
    given = {rows.tenant, rows.user, rows.role}
    for column in table.columns:
        fills = (
            column.nullable
            or column.server_default is not None
            or column.identity is not None
            or column.computed is not None
            or column is table.autoincrement_column
        )
        if column.name not in given and not fills:
            raise ConfigurationError(
                f"{place}, and its column {column.name!r} has no default in the database, which"
                " makes the founder of a tenant a member: give it a server_default, or leave"
                " INSERT out of the commands of the table of tenants."
            )


def _spelled(kind: TypeEngine[object]) -> str:
    return str(kind.compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]
