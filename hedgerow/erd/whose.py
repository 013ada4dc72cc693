"""Say in a few words whose rows a table holds, as it declares."""

from collections.abc import Iterable, Iterator

from sqlalchemy import Table

from hedgerow.policies.options import ALL_COMMANDS
from hedgerow.policies.scope import Scope
from hedgerow.policies.tenancy import require_tenancy
from hedgerow.policies.tenant_rows import MemberRows, TenantRows


def whose(table: Table, scope: Scope) -> str:
    """Return how a scoped table is kept, who reads it too, and the names of its own policies.

    Raises ConfigurationError where it declares rows of tenants, and no table says who is a member.
    """
    return ", ".join(_parts(table, scope))


def _parts(table: Table, scope: Scope) -> Iterator[str]:
    if scope.parents:
        yield f"through {_listed(scope.parents)}"
    elif scope.is_user:
        yield f"the user itself, by {scope.owner_column}"
    elif scope.owner_column:
        yield f"by {scope.owner_column}"
    elif scope.tenant_rows:
        yield from _of_tenants(table, scope.tenant_rows)
    elif scope.member_rows:
        yield from _of_members(scope.member_rows)
    elif not scope.claims:
        yield "only admins write"
    if scope.also_owner:
        column = scope.also_owner.column
        yield f"and by {column}" if scope.also_owner.to_read else f"only {column} writes"
    for column, claim in scope.claims.items():
        yield f"where {column} is the claim {claim}"
    if scope.shares:
        yield f"shared with {scope.shares.table}"
    if scope.read:
        yield "everyone reads" if scope.read == "everyone" else "co-members read"
    if scope.sign_in_column:
        yield f"signs in by {scope.sign_in_column}"
    if scope.public:
        yield f"public{f' where {scope.public}' if isinstance(scope.public, str) else ''}"
    if scope.services:
        yield f"services {_listed(sorted(scope.services))}"
    if not scope.commands >= set(ALL_COMMANDS):
        yield f"users only {_listed(c for c in ALL_COMMANDS if c in scope.commands)}"
    yield from (policy.name for policy in scope.policies)


def _of_tenants(table: Table, rows: TenantRows) -> Iterator[str]:
    itself = require_tenancy(table, "Scope.tenant()").is_tenants_table(table)
    yield f"the tenant itself, by {rows.column}" if itself else f"by tenant {rows.column}"
    for may, roles in (("read", rows.read), ("write", rows.write)):
        if roles is not None:
            yield f"{may} as {_listed(sorted(roles), 'or')}"
    if rows.delete is not None and rows.delete != rows.write:
        yield f"delete as {_listed(sorted(rows.delete), 'or')}"


def _of_members(rows: MemberRows) -> Iterator[str]:
    yield f"members of tenant {rows.tenant}, by {rows.user}"
    if rows.role is not None:
        yield f"changed as {_listed([*sorted(rows.admins), rows.owner], 'or')} by {rows.role}"


def _listed(names: Iterable[str], word: str = "and") -> str:
    return f" {word} ".join(names)
