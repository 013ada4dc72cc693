"""What the table that says who is a member must be; `place` begins each message."""

from sqlalchemy import Enum, Table, UniqueConstraint

from hedgerow.errors import ConfigurationError
from hedgerow.policies.keys import Key, keys_of
from hedgerow.policies.tenant_rows import MemberRows


def key_to_tenant(table: Table, rows: MemberRows, place: str) -> Key:
    """Return the key to the table of tenants; raises ConfigurationError where there is none."""
    for key in keys_of(table):
        if key.columns == (rows.tenant,):
            return key
    raise ConfigurationError(
        f"{place}, and {rows.tenant!r} has no foreign key to a table that is defined: give it one"
        " to the table of tenants, and import the module of its model."
    )


def check_unique(table: Table, rows: MemberRows, place: str) -> None:
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


def check_roles(table: Table, rows: MemberRows, roles: frozenset[str], place: str) -> None:
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


def check_defaults(table: Table, rows: MemberRows, place: str) -> None:
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
