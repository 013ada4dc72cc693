"""What a policy is, and which policies a scoped table gets."""

import hashlib
from dataclasses import dataclass
from typing import Literal

from hedgerow import sql
from hedgerow.identity import Role
from hedgerow.row_security import MAX_IDENTIFIER_BYTES, RoleNames
from hedgerow.scope import Scope

Command = Literal["ALL", "SELECT", "INSERT", "UPDATE", "DELETE"]


@dataclass(frozen=True)
class Policy:
    """One row-security policy, as `CREATE POLICY` takes it.

    `using` decides which rows are seen, changed or deleted; `with_check` which rows may result.
    Both are SQL expressions. `roles` have their default names (see `RoleNames.deployed`).
    Permissive policies of one command are OR-ed, restrictive ones AND-ed (P29).
    """

    name: str
    command: Command
    roles: tuple[str, ...]
    using: str | None = None
    with_check: str | None = None
    permissive: bool = True


def create_policy_statement(
    policy: Policy, table: str, schema: str | None, roles: RoleNames
) -> str:
    """Return the CREATE POLICY of `policy`, its roles as the deployment `roles` names them."""
    parts = [
        f"CREATE POLICY {sql.name(policy.name)} ON {sql.table_name(table, schema)}",
        f"AS {'PERMISSIVE' if policy.permissive else 'RESTRICTIVE'}",
        f"FOR {policy.command}",
        "TO " + ", ".join(sql.name(roles.deployed(role)) for role in policy.roles),
    ]
    if policy.using is not None:
        parts.append(f"USING ({policy.using})")
    if policy.with_check is not None:
        parts.append(f"WITH CHECK ({policy.with_check})")
    return " ".join(parts)


def drop_policy_statement(name: str, table: str, schema: str | None) -> str:
    """Return the DROP POLICY of the policy `name`."""
    return f"DROP POLICY {sql.name(name)} ON {sql.table_name(table, schema)}"


def owner_policies(table: str, scope: Scope) -> tuple[Policy, ...]:
    """Return the policies of a scoped table: the owner's four, and one for each admin role.

    The identity stands in a sub-select, so that it is evaluated once a statement (P46), and its
    comparison is bare, so that the index on the owner applies (P45). UPDATE checks the new row too,
    or a row could be given away (P30).
    """
    owns = f"{sql.name(scope.owner_column)} = (SELECT rls.user_id())"
    app = (RoleNames.app,)
    is_admin = _has_role(Role.ADMIN)
    return (
        Policy(_policy_name(table, "owner_select"), "SELECT", app, using=owns),
        Policy(_policy_name(table, "owner_insert"), "INSERT", app, with_check=owns),
        Policy(_policy_name(table, "owner_update"), "UPDATE", app, using=owns, with_check=owns),
        Policy(_policy_name(table, "owner_delete"), "DELETE", app, using=owns),
        Policy(
            _policy_name(table, "admin"),
            "ALL",
            (RoleNames.admin,),
            using=is_admin,
            with_check=is_admin,
        ),
        Policy(
            _policy_name(table, "read_only_admin"),
            "SELECT",
            (RoleNames.read_only_admin,),
            using=_has_role(Role.READ_ONLY_ADMIN),
        ),
    )


def _has_role(role: Role) -> str:
    return f"(SELECT rls.role()) = {sql.text_literal(role.value)}"


def _policy_name(table: str, suffix: str) -> str:
    """Return `table_suffix`; a name that PostgreSQL would cut off keeps its suffix and a digest."""
    full = f"{table}_{suffix}"
    if len(full.encode()) <= MAX_IDENTIFIER_BYTES:
        return full
    digest = hashlib.sha256(table.encode()).hexdigest()[:8]
    room = MAX_IDENTIFIER_BYTES - len(f"_{digest}_{suffix}")
    return f"{table.encode()[:room].decode(errors='ignore')}_{digest}_{suffix}"
