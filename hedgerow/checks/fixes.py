"""What fixes the findings of several checks."""

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.catalogs.functions import Definer
from hedgerow.catalogs.privileges import relation_privileges
from hedgerow.checks.inspection import Inspection
from hedgerow.policies.policy import create_policy_statement, drop_policy_statement
from hedgerow.policies.scope import Scope
from hedgerow.policies.tenancy_sql import functions
from hedgerow.policies.wanted import declared_protection

UPGRADE = "alembic upgrade head"
"""Runs the revisions that are left, and brings what is no history to the settings."""

RESTORE = "alembic -x rls=restore upgrade head"
"""Makes again what revisions have once made, and the database has lost."""

WRITE_REVISION = (
    f"Run `{UPGRADE}`; if no revision does that yet, first"
    " `alembic revision --autogenerate -m 'protect the tables'`."
)
"""For what a model declares and the database has never had."""


def remake(inspection: Inspection) -> str:
    """Return what makes what is in schema `rls`: a migration, or where one has, its restoration."""
    migrated = any(live.enabled for live in inspection.live_tables.values())
    return RESTORE if migrated else UPGRADE


def fix_policy(inspection: Inspection, table: Table, scope: Scope, name: str) -> str:
    """Return what brings a policy to what the models say: a new policy, none, or a revision."""
    drop = f"{drop_policy_statement(name, table.name, table.schema)};"
    if name in scope.unmanaged:
        return f"Change policy {name} where it is made: its table's model leaves it to you."
    if name in {policy.name for policy in scope.policies}:
        target = sql.table_name(table.name, table.schema)
        return f"alembic revision --autogenerate -m 'change policy {name} of {target} in its model'"
    declared = declared_protection(table, inspection.row_security).policies.get(name)
    if declared is None:
        return drop
    roles = inspection.row_security.roles
    return f"{drop} {create_policy_statement(declared, table.name, table.schema, roles)};"


def fix_declared(inspection: Inspection, function: Definer) -> str | None:
    """Return what makes a function as the models declare it, or None where it is not theirs."""
    if (shares := inspection.share_functions.get(function.name)) is not None:
        return " ".join(f"{statement};" for statement in shares.create_statements())
    if inspection.tenancy and function.name in functions(inspection.tenancy):
        return fix_tenancy(inspection)
    return None


def fix_tenancy(inspection: Inspection) -> str:
    """Return what makes the functions and triggers of tenants as the models declare them."""
    tenancy = inspection.tenancy
    if tenancy is None:
        return WRITE_REVISION
    members = inspection.live_tables.get(sql.table_name(tenancy.members, tenancy.schema))
    return RESTORE if members is not None and members.enabled else WRITE_REVISION


def unless_policies_need(inspection: Inspection, name: str, fix: str) -> str:
    """Return the SQL that takes rights from a function, table or view; `name` is it as SQL.

    Where a policy uses it with the rights of who asks, that SQL would break every request: the
    policy is refused, or asks the policies of what is beneath, which ask it again without end.
    """
    policy = inspection.used_by_policies.get(name)
    if policy is None:
        return fix
    return (
        f"Policy {policy} uses it, and would fail after `{fix}` First declare the memberships"
        " (Scope.members()), or let the policy call a SECURITY DEFINER function that tells of"
        " rls.user_id() alone, and allow that one in pyproject.toml."
    )


def revoke_all(inspection: Inspection, relation: str) -> str:
    """Return what takes all privileges on `relation` from every role within reach."""
    granted = {
        one.role
        for one in relation_privileges(inspection.application, [relation])
        if not one.is_owner and one.role in ("public", *inspection.reach)
    }
    roles = ", ".join(sql.role_name(role) for role in sorted(granted))
    return unless_policies_need(inspection, relation, f"REVOKE ALL ON {relation} FROM {roles};")
