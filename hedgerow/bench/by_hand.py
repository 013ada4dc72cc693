"""The condition that an application without row security writes, and who there is to ask."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    Table,
    and_,
    any_,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
)

from hedgerow.config.identity import UserId
from hedgerow.policies.keys import Key, key_to_parent
from hedgerow.policies.registry import scope_of
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import share_function
from hedgerow.policies.tenancy import Tenancy, tenancy_of
from hedgerow.policies.tenant_rows import Roles

Way = Literal["array", "join"]
"""How the tenants of a user are asked for: `= ANY (ARRAY(…))`, or joined with the memberships."""


@dataclass(frozen=True)
class Asker:
    """Who asks: a user, and what the identity claims, by the name of the claim."""

    user: UserId
    claims: Mapping[str, Any] = field(default_factory=dict, hash=False)


def seen_by(table: Table, asker: Asker, way: Way = "array") -> ColumnElement[bool] | None:
    """Return the condition that an application without row security writes, to read as `asker`.

    None where the declaration gives none: nobody but admins reads, or policies of its own decide.
    """
    scope = scope_of(table)
    if not isinstance(scope, Scope):
        return None
    if scope.read == "everyone":
        return true()
    own = _own(table, scope, asker, way)
    if own is None and not scope.claims:
        return None
    conditions = [] if own is None else [own]
    if scope.also_owner is not None and scope.also_owner.to_read:
        conditions.append(table.c[scope.also_owner.column] == asker.user)
    for column, claim in scope.claims.items():
        kind = table.c[column].type
        conditions.append(table.c[column] == literal(asker.claims.get(claim), kind))
    return and_(*conditions)


def _own(table: Table, scope: Scope, asker: Asker, way: Way) -> ColumnElement[bool] | None:
    tenancy = tenancy_of(table.metadata)
    if scope.parents:
        through = [_through(key_to_parent(table, column), asker, way) for column in scope.parents]
        parts = [part for part in through if part is not None]
        return and_(*parts) if len(parts) == len(through) else None
    if tenancy is not None and scope.tenant_rows is not None and scope.tenant_rows.column:
        column = table.c[scope.tenant_rows.column]
        return _in_tenants(table, tenancy, column, asker, scope.tenant_rows.read, way)
    if tenancy is not None and scope.member_rows is not None:
        own: ColumnElement[bool] = table.c[tenancy.user] == asker.user
        if scope.read != "co_members":
            return own
        return or_(own, _in_tenants(table, tenancy, table.c[tenancy.tenant], asker, None, way))
    if scope.owner_column is None:
        return None
    mine = table.c[scope.owner_column] == asker.user
    if tenancy is not None and scope.read == "co_members":
        return or_(mine, _of_co_members(table, tenancy, table.c[scope.owner_column], asker))
    return or_(mine, *_shared(table, scope, asker))


def _in_tenants(
    table: Table,
    tenancy: Tenancy,
    column: ColumnElement[Any],
    asker: Asker,
    roles: Roles,
    way: Way,
) -> ColumnElement[bool]:
    tenants = _tenants_of(table, tenancy, asker, roles)
    return column.in_(tenants) if way == "join" else _any_of(column, tenants)


def _tenants_of(
    table: Table, tenancy: Tenancy, asker: Asker, roles: Roles = None
) -> Select[tuple[Any]]:
    """Return the query for the tenants in which the user is a member, in one of the roles."""
    member = members_of(table, tenancy).alias("member")
    mine = select(member.c[tenancy.tenant]).where(member.c[tenancy.user] == asker.user)
    if roles is None or tenancy.role is None:
        return mine
    return mine.where(member.c[tenancy.role].in_(sorted(roles)))


def tenants_of(table: Table, asker: Asker) -> Select[tuple[Any]] | None:
    """Return the query for the tenants whose rows of `table` the user may read, as far as that is.

    None where the rows are of no tenants.
    """
    scope, tenancy = scope_of(table), tenancy_of(table.metadata)
    if not isinstance(scope, Scope) or scope.tenant_rows is None or tenancy is None:
        return None
    return _tenants_of(table, tenancy, asker, scope.tenant_rows.read)


def _of_co_members(
    table: Table, tenancy: Tenancy, column: ColumnElement[Any], asker: Asker
) -> ColumnElement[bool]:
    other = members_of(table, tenancy).alias("other")
    is_near = _any_of(other.c[tenancy.tenant], _tenants_of(table, tenancy, asker))
    return _any_of(column, select(other.c[tenancy.user]).where(is_near))


def _any_of(column: ColumnElement[Any], values: Select[tuple[Any]]) -> ColumnElement[bool]:
    return column == any_(func.array(values.scalar_subquery()))


def tenant_column(table: Table) -> str | None:
    """Return the column that names the tenant whose a row of `table` is, where there is one."""
    scope = scope_of(table)
    rows = scope.tenant_rows if isinstance(scope, Scope) else None
    return rows.column if rows is not None and tenancy_of(table.metadata) is not None else None


def asks_for_tenants(table: Table) -> bool:
    """Return whether who sees a row of `table` depends on the tenants in which they are members."""
    scope = scope_of(table)
    if not isinstance(scope, Scope):
        return False
    parents = (key_to_parent(table, column).parent for column in scope.parents)
    return tenant_column(table) is not None or any(map(asks_for_tenants, parents))


def members_of(table: Table, tenancy: Tenancy) -> Table:
    """Return the table of memberships."""
    name = f"{tenancy.schema}.{tenancy.members}" if tenancy.schema else tenancy.members
    return table.metadata.tables[name]


def _shared(table: Table, scope: Scope, asker: Asker) -> Iterator[ColumnElement[bool]]:
    """Yield the condition under which a row is shared with the user."""
    shares = share_function(table, scope)
    if shares is None:
        return
    holder = table.metadata.tables[
        f"{shares.schema}.{shares.table}" if shares.schema else shares.table
    ]
    shared = select(holder.c[shares.key]).where(holder.c[shares.user] == asker.user)
    yield table.c[shares.shared_key].in_(shared)


def _through(key: Key, asker: Asker, way: Way) -> ColumnElement[bool] | None:
    """Return the semi-join with a parent that a hand-written query has."""
    mine = seen_by(key.parent, asker, way)
    if mine is None:
        return None
    parent_columns = [key.parent.c[column] for column in key.parent_columns]
    columns = [element.parent for element in key.constraint.elements]
    left = columns[0] if len(columns) == 1 else tuple_(*columns)
    return left.in_(select(*parent_columns).where(mine))


def owner_of(table: Table, row: FromClause) -> ColumnElement[Any] | None:
    """Return the owner of a `row` of `table`, or of the first of its parents that has one.

    Of a row of a tenant that is one of the members who may read it. None where no column names an
    owner.
    """
    scope = scope_of(table)
    if not isinstance(scope, Scope):
        return None
    if scope.owner_column is not None:
        return row.c[scope.owner_column]
    if scope.also_owner is not None and scope.also_owner.to_read:
        return row.c[scope.also_owner.column]
    tenancy = tenancy_of(table.metadata)
    if tenancy is not None and scope.member_rows is not None:
        return row.c[tenancy.user]
    if tenancy is not None and scope.tenant_rows is not None and scope.tenant_rows.column:
        member = members_of(table, tenancy).alias()
        roles = scope.tenant_rows.read
        is_one = member.c[tenancy.tenant] == row.c[scope.tenant_rows.column]
        one = select(member.c[tenancy.user]).where(is_one)
        if roles is not None and tenancy.role is not None:
            one = one.where(member.c[tenancy.role].in_(sorted(roles)))
        return one.order_by(member.c[tenancy.user]).limit(1).scalar_subquery()
    for column in scope.parents:
        key = key_to_parent(table, column)
        parent = key.parent.alias()
        owner = owner_of(key.parent, parent)
        if owner is not None:
            return select(owner).where(*_joined(key, row, parent)).scalar_subquery()
    return None


def claims_of(table: Table, row: FromClause) -> Iterator[tuple[str, ColumnElement[Any]]]:
    """Yield each claim that an identity needs to see a `row` of `table`, and its value."""
    scope = scope_of(table)
    if not isinstance(scope, Scope):
        return
    for column, claim in scope.claims.items():
        yield claim, row.c[column]
    for column in scope.parents:
        key = key_to_parent(table, column)
        parent = key.parent.alias()
        for claim, value in claims_of(key.parent, parent):
            yield claim, select(value).where(*_joined(key, row, parent)).scalar_subquery()


def _joined(key: Key, row: FromClause, parent: FromClause) -> list[ColumnElement[bool]]:
    pairs = zip(key.columns, key.parent_columns, strict=True)
    return [parent.c[theirs] == row.c[ours] for ours, theirs in pairs]
