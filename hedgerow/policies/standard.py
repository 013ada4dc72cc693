"""The policies that every scoped table gets: the owner's, one for each admin role, the audit's."""

from hedgerow import sql
from hedgerow.catalogs.policies import Command
from hedgerow.config.identity import Role
from hedgerow.config.roles import RoleNames
from hedgerow.policies.policy import Policy, policy_name


def owner_policies(table: str, owner_column: str) -> tuple[Policy, ...]:
    """Return the policies through which `owner_column` keeps a table's rows apart.

    The identity is in a sub-select, so that it is evaluated once a statement (P46), and its
    comparison is bare, so that the index on the owner applies (P45). UPDATE checks the new row too,
    or a row could be given away (P30).
    """
    owns = f"{sql.name(owner_column)} = (SELECT rls.user_id())"
    return (
        Policy(policy_name(table, "owner_select"), "SELECT", using=owns),
        Policy(policy_name(table, "owner_insert"), "INSERT", with_check=owns),
        Policy(policy_name(table, "owner_update"), "UPDATE", using=owns, with_check=owns),
        Policy(policy_name(table, "owner_delete"), "DELETE", using=owns),
    )


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


def recording_policies(table: str, schema: str | None) -> tuple[Policy, ...]:
    """Return the policies that record an admin's writing statement before it changes a row.

    They are restrictive: beside them an admin still needs the policy that lets admins through.
    """
    target = sql.text_literal(sql.table_name(table, schema))

    def records(command: Command) -> str:
        return f"(SELECT rls.record_write({target}::regclass, {sql.text_literal(command)}))"

    def policy(command: Command, **conditions: str) -> Policy:
        name = policy_name(table, f"admin_{command.lower()}_is_recorded")
        return Policy(name, command, (RoleNames.admin,), permissive=False, **conditions)

    return (
        policy("INSERT", with_check=records("INSERT")),
        # The new row needs no second entry.
        policy("UPDATE", using=records("UPDATE"), with_check="true"),
        policy("DELETE", using=records("DELETE")),
    )


def _has_role(role: Role) -> str:
    # The comparison is inside the sub-select: outside, it would be made once a row.
    return f"(SELECT rls.role() = {sql.text_literal(role.value)})"
