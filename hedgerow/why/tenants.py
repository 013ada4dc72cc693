"""Say of a row of a tenant, and of a membership, what the user is in that tenant, and may do."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.policies.scope import Scope
from hedgerow.policies.tenancy import Tenancy, require_tenancy
from hedgerow.policies.tenant_rows import MemberRows, TenantRows
from hedgerow.why.asker import Asker, Fate, Need
from hedgerow.why.row import held_values, live_table


@dataclass(frozen=True)
class _Member:
    """What the asking user is in `tenant`; `narrowed_to` is another that the identity names."""

    tenant: str
    is_member: bool
    role: str | None = None
    narrowed_to: str | None = None

    @property
    def clause(self) -> str:
        """What goes after the tenant's name."""
        if not self.is_member:
            return "of which this user is not a member"
        told = "where this user is a member"
        told += f" as {self.role}" if self.role is not None else ""
        return f"{told}, but the request is narrowed to {self.narrowed_to}" if self.away else told

    @property
    def away(self) -> bool:
        """Whether the identity leaves this tenant out, or the user is none of its members."""
        return not self.is_member or self.narrowed_to is not None


def of_tenant(asker: Asker, table: Table, rows: TenantRows, need: Need) -> Fate:
    """Return how the held row of a tenant, or a tenant itself, comes out for its members."""
    tenancy = require_tenancy(table, "Scope.tenant()")
    is_tenant = tenancy.is_tenants_table(table)
    if is_tenant and need == "insert":
        return False, "is a tenant already; whoever inserts a new one becomes its first owner"
    [tenant] = _held(asker, table, [str(rows.column)])
    if tenant is None:
        return False, f"is of no {tenancy.tenants}, since {rows.column} is NULL"
    member = _member(asker, tenancy, tenant)
    which = f"is {member.tenant}" if is_tenant else f"is of {member.tenant} ({rows.column})"
    told = f"{which}, {member.clause}"
    if member.away:
        return False, told
    for doing, roles in _needed(rows, need):
        if roles is not None and member.role not in roles:
            return False, f"{told}, and {doing} it takes {_either(roles)}"
    return True, told


def _needed(rows: TenantRows, need: Need) -> list[tuple[str, frozenset[str] | None]]:
    """Return what is done to a row, and the roles that it takes; what is changed is first found."""
    seeing = ("seeing", rows.read)
    return {
        "see": [seeing],
        "insert": [("inserting", rows.write)],
        "change": [seeing, ("changing", rows.write)],
        "delete": [seeing, ("deleting", rows.delete)],
    }[need]


def of_membership(asker: Asker, table: Table, scope: Scope, rows: MemberRows, need: Need) -> Fate:
    """Return how the held membership comes out for those who govern its tenant, and its user."""
    tenancy = require_tenancy(table, "Scope.members()")
    columns = [rows.tenant, rows.user, *([rows.role] if rows.role else [])]
    tenant, user, *roles = _held(asker, table, columns)
    role = roles[0] if roles else None
    own = user == asker.user
    member = _member(asker, tenancy, str(tenant))
    as_role = f" as {role}" if role else ""
    if own:
        told = f"is this user's own membership of {member.tenant}{as_role}"
        told += f", but the request is narrowed to {member.narrowed_to}" if member.away else ""
    else:
        told = f"is a membership of {member.tenant}{as_role}, {member.clause}"
    if member.away:
        return False, told
    governing = {rows.owner, *rows.admins} if rows.role else set()
    governs = member.role in governing
    takes = f"takes {_either(governing)}" if governing else "is left to its user"
    if need != "insert" and not (own or scope.read == "co_members" or governs):
        return False, f"{told}, and seeing it {takes}"
    if need == "see":
        return True, told
    if own and need == "delete":
        return True, f"{told}, and everybody may leave"
    doing = {"change": "changing", "delete": "removing", "insert": "inserting"}[need]
    if not governs:
        return False, f"{told}, and {doing} it {takes}"
    if member.role == rows.owner:
        return True, told
    if own:
        return False, f"{told}, and {doing} one's own takes {rows.owner}"
    if role == rows.owner:
        return False, f"{told}, and {doing} one as {rows.owner} takes {rows.owner}"
    if need == "change":
        return True, f"{told}, who may give it any role but {rows.owner}"
    return True, told


def shares_a_tenant(asker: Asker, table: Table, user: str) -> Fate:
    """Return whether another user is a co-member of the asking one, and say it of that other.

    An identity that names a tenant has co-members in that one alone.
    """
    tenancy = require_tenancy(table, 'read="co_members"')
    members = sql.table_name(tenancy.members, tenancy.schema)
    named = asker.identity.tenant_id
    narrowed = "" if named is None else f" AND {_column('mine', tenancy.tenant, str(named))}"
    asked = sql.Statement(
        f"SELECT EXISTS (SELECT FROM {members} AS mine JOIN {members} AS theirs"  # noqa: S608
        f" USING ({sql.name(tenancy.tenant)})"
        f" WHERE {_column('mine', tenancy.user, asker.user)}"
        f" AND {_column('theirs', tenancy.user, user)}{narrowed})"
    )
    shares = bool(asker.connection.execute(asked).scalar_one())
    told = f"who shares {'a' if shares else 'no'} tenant with this user"
    if named is not None:
        told += f" in a request that is narrowed to {tenancy.tenants} {named}"
    return shares, told


def _member(asker: Asker, tenancy: Tenancy, tenant: str) -> _Member:
    role = f"member.{sql.name(tenancy.role)}::text" if tenancy.role else "NULL"
    named = asker.identity.tenant_id
    left_out = "false" if named is None else f"NOT {_column('member', tenancy.tenant, str(named))}"
    asked = sql.Statement(
        f"SELECT {role}, {left_out}"  # noqa: S608
        f" FROM {sql.table_name(tenancy.members, tenancy.schema)} AS member"
        f" WHERE {_column('member', tenancy.tenant, tenant)}"
        f" AND {_column('member', tenancy.user, asker.user)}"
    )
    found = asker.connection.execute(asked).one_or_none()
    name = f"{tenancy.tenants} {tenant}"
    if found is None:
        return _Member(name, is_member=False)
    return _Member(name, True, found[0], f"{tenancy.tenants} {named}" if found[1] else None)


def _column(alias: str, column: str, value: str) -> str:
    """Return the condition that a column holds a value, which takes the column's type."""
    return f"{alias}.{sql.name(column)} = {sql.text_literal(value)}"


def _held(asker: Asker, table: Table, columns: Sequence[str]) -> tuple[str | None, ...]:
    return held_values(asker.connection, live_table(asker.connection, table), columns)


def _either(roles: Iterable[str]) -> str:
    return " or ".join(sorted(roles))
