"""The policies of the table that says who belongs to which tenant: it protects itself."""

from collections.abc import Iterator

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.catalogs.policies import Command
from hedgerow.policies.conditions import IDENTITY, owns
from hedgerow.policies.non_users import inserted_values
from hedgerow.policies.policy import Policy, policy_name
from hedgerow.policies.scope import Scope
from hedgerow.policies.tenancy import Tenancy, require_tenancy


def member_policies(table: Table, scope: Scope) -> Iterator[Policy]:
    """Yield the users' policies of the table of memberships; none of another table.

    Nobody promotes himself: in a tenant its owners decide on every membership, and its admins on
    those that neither are nor become an owner's and are not their own. Everybody may leave.
    """
    rows = scope.member_rows
    if rows is None:
        return
    tenancy = require_tenancy(table, "Scope.members()")
    own = f"{owns(sql.name(rows.user))} AND {tenancy.narrowing}"
    yield _policy(table, "own_select", "SELECT", own)
    if scope.read == "co_members":
        yield _policy(table, "co_member_select", "SELECT", _in_one_of(tenancy, None))
    yield _policy(table, "own_delete", "DELETE", own)
    if rows.role is None:
        return
    owners = _in_one_of(tenancy, frozenset({rows.owner}))
    role = sql.name(rows.role)
    admins = (
        f"{_in_one_of(tenancy, rows.admins)} AND {role} <> {sql.text_literal(rows.owner)}"
        f" AND {sql.name(rows.user)} <> {IDENTITY}"
    )
    if scope.read != "co_members":  # or they would change what they do not see
        governing = _in_one_of(tenancy, rows.admins | {rows.owner})
        yield _policy(table, "tenant_admin_select", "SELECT", governing)
    values = inserted_values(table, scope)
    for who, may in (("tenant_owner", owners), ("tenant_admin", admins)):
        if who == "tenant_admin" and not rows.admins:
            continue
        yield Policy(
            policy_name(table.name, f"{who}_insert"), "INSERT", with_check=f"{may}{values}"
        )
        update = policy_name(table.name, f"{who}_update")
        yield Policy(update, "UPDATE", using=may, with_check=may)
        yield _policy(table, f"{who}_delete", "DELETE", may)


def _in_one_of(tenancy: Tenancy, roles: frozenset[str] | None) -> str:
    return f"{sql.name(tenancy.tenant)} = ANY {tenancy.of_asking_user(roles)}"


def _policy(table: Table, what: str, command: Command, using: str) -> Policy:
    return Policy(policy_name(table.name, what), command, using=using)
