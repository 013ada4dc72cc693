"""The SQL that brings one policy back to what the models say."""

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.policies.policy import create_policy_statement, drop_policy_statement
from hedgerow.policies.scope import Scope
from hedgerow.policies.wanted import declared_protection


def fix_policy(inspection: Inspection, table: Table, scope: Scope, name: str) -> str:
    """Return what fixes a policy: creating it anew, dropping it, or a change of the model."""
    drop = f"{drop_policy_statement(name, table.name, table.schema)};"
    if name in {policy.name for policy in scope.policies}:
        target = sql.table_name(table.name, table.schema)
        return f"alembic revision --autogenerate -m 'change policy {name} of {target} in its model'"
    declared = declared_protection(table, inspection.row_security).policies.get(name)
    if declared is None:
        return drop
    roles = inspection.row_security.roles
    return f"{drop} {create_policy_statement(declared, table.name, table.schema, roles)};"
