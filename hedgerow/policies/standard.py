"""The policies that a declaration makes: the users', one for each admin role, and the audit's."""

from collections.abc import Iterator

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.catalogs.policies import Command
from hedgerow.config.identity import Role
from hedgerow.config.roles import RoleNames
from hedgerow.policies.conditions import SIGNED_IN, changes, claimed, sees
from hedgerow.policies.member_policies import member_policies
from hedgerow.policies.non_users import inserted_values, public_rows
from hedgerow.policies.policy import Policy, policy_name
from hedgerow.policies.scope import Scope
from hedgerow.policies.shares import share_function
from hedgerow.policies.tenancy import require_tenancy

EVERYONE_SELECT = "everyone_select"
"""How the name of the policy ends that `read="everyone"` makes."""
PUBLIC_SELECT = "public_select"
"""How the name of the policy ends that shows users the rows of a column that says `public`."""


def user_policies(table: Table, scope: Scope) -> tuple[Policy, ...]:
    """Return the policies through which the declaration of `table` keeps its rows apart.

    The identity is in a sub-select, so that it is evaluated once a statement (P46), and conditions
    are bare, so that indexes apply (P45). UPDATE checks the new row too, or a row could be given
    away (P30).
    """
    return tuple(
        policy
        for policy in (
            *_policies(table, scope),
            *_share_policies(table, scope),
            *member_policies(table, scope),
            *_co_member_policies(table, scope),
        )
        if policy.command in scope.commands
    )


def _policies(table: Table, scope: Scope) -> Iterator[Policy]:
    def name(what: str) -> str:
        return policy_name(table.name, what)

    who = _who(scope)
    if is_read_by_every_user(scope):
        yield Policy(name(EVERYONE_SELECT), "SELECT", using=_with_claims(table, scope, SIGNED_IN))
    elif (seen := sees(table, scope)) is not None:
        yield Policy(name(f"{who}_select"), "SELECT", using=seen)
    if isinstance(scope.public, str):
        yield Policy(name(PUBLIC_SELECT), "SELECT", using=public_rows(scope))
    # Else who signs up inserts.
    if scope.sign_in_column is None and (new := changes(table, scope, "INSERT")) is not None:
        new = f"{new}{inserted_values(table, scope)}"
        yield Policy(name(f"{who}_insert"), "INSERT", with_check=new)
    if (changed := changes(table, scope, "UPDATE")) is not None:
        yield Policy(name(f"{who}_update"), "UPDATE", using=changed, with_check=changed)
    if (deleted := changes(table, scope, "DELETE")) is not None:
        yield Policy(name(f"{who}_delete"), "DELETE", using=deleted)


def is_read_by_every_user(scope: Scope) -> bool:
    """Return whether whoever is signed in reads all rows; children are read as their parents."""
    return scope.read == "everyone" or (scope.public is True and not scope.parents)


def _who(scope: Scope) -> str:
    """Return whose rows they are, as the policies' names say."""
    if scope.parents:
        return "parent"
    if scope.tenant_rows is not None:
        return "member"
    return "owner" if scope.owner_column is not None else "claim"


def _share_policies(table: Table, scope: Scope) -> Iterator[Policy]:
    """Yield the policies of whom a share names; to change the owner, they lack the privilege."""
    shares = share_function(table, scope)
    if shares is None:
        return
    if scope.read != "everyone":
        seen = _with_claims(table, scope, shares.holds("", to_write=False))
        yield Policy(policy_name(table.name, "shared_select"), "SELECT", using=seen)
    if shares.write is not None:
        may = _with_claims(table, scope, shares.holds("", to_write=True))
        name = policy_name(table.name, "shared_update")
        yield Policy(name, "UPDATE", using=may, with_check=may)


def _co_member_policies(table: Table, scope: Scope) -> Iterator[Policy]:
    """Yield the policy of those who share a tenant with the user whose rows they are."""
    if scope.read != "co_members" or scope.owner_column is None:
        return
    tenancy = require_tenancy(table, 'read="co_members"')
    name = policy_name(table.name, "co_member_select")
    seen = f"{sql.name(scope.owner_column)} = ANY {tenancy.co_members_of_asking_user}"
    yield Policy(name, "SELECT", using=_with_claims(table, scope, seen))


def _with_claims(table: Table, scope: Scope, condition: str) -> str:
    """Return the condition, and what `and_claim` asks of everybody who reaches the rows."""
    return " AND ".join([condition, *claimed(table, scope)])


def admin_policies(table: str) -> tuple[Policy, ...]:
    """Return the policies that let both kinds of admin through, each in its own database role."""
    is_admin = _has_role(Role.ADMIN)
    return (
        Policy(
            policy_name(table, "admin"),
            "ALL",
            (RoleNames.admin,),
            using=is_admin,
            with_check=is_admin,
        ),
        Policy(
            policy_name(table, "read_only_admin"),
            "SELECT",
            (RoleNames.read_only_admin,),
            using=_has_role(Role.READ_ONLY_ADMIN),
        ),
    )


def recording_policies(
    table: str, schema: str | None, *, services: bool = False
) -> tuple[Policy, ...]:
    """Return the policies that record an admin's writing statement before it changes a row.

    With `services` they record theirs, too. They are restrictive: beside them an admin still needs
    the policy that lets admins through.
    """
    recorded = (RoleNames.admin, *((RoleNames.service,) if services else ()))
    target = sql.text_literal(sql.table_name(table, schema))

    def records(command: Command) -> str:
        return f"(SELECT rls.record_write({target}::regclass, {sql.text_literal(command)}))"

    def policy(command: Command, **conditions: str) -> Policy:
        name = policy_name(table, f"admin_{command.lower()}_is_recorded")
        return Policy(name, command, recorded, permissive=False, **conditions)

    return (
        policy("INSERT", with_check=records("INSERT")),
        # The new row needs no second entry.
        policy("UPDATE", using=records("UPDATE"), with_check="true"),
        policy("DELETE", using=records("DELETE")),
    )


def _has_role(role: Role) -> str:
    # The comparison is inside the sub-select: outside, it would be made once a row.
    return f"(SELECT rls.role() = {sql.text_literal(role.value)})"
