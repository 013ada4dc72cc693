"""H122: a policy asks for the identity once for every row."""

from collections.abc import Iterator

from hedgerow.catalogs.policies import LivePolicy
from hedgerow.checks.fixes import fix_policy
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.checks.plans import asks_each_row, explain
from hedgerow.checks.trial import another_users_row, become_new_user
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find policies in which the identity is not an InitPlan.

    A bare `rls.user_id()` in a filter runs once a row, and checks a signature each time;
    `(SELECT rls.user_id())` runs once a statement.
    """
    if not inspection.row_security.enabled:
        return
    become_new_user(inspection)
    for policy in inspection.policies:
        if _asks_each_row(inspection, policy):
            table, scope = inspection.tables[policy.table]
            yield Finding(
                subject=f"{table.fullname}.{policy.name}",
                sentence=f"Policy {policy.name!r} of table {table.fullname!r} asks for the identity"
                " once a row, not once a statement: with many rows one user can slow all users"
                " down. Write (SELECT rls.user_id()).",
                fix=fix_policy(inspection, table, scope, policy.name),
            )


def _asks_each_row(inspection: Inspection, policy: LivePolicy) -> bool:
    """Return whether PostgreSQL leaves the identity's functions in what it filters rows by."""
    row = another_users_row(inspection, *inspection.tables[policy.table])
    return any(
        asks_each_row(node)
        for condition in filter(None, (policy.using, policy.with_check))
        for node in explain(inspection, f"SELECT FROM {row} WHERE {condition}")
    )


CHECK = Check("H122", Level.WARNING, "Identity evaluated per row", find, pitfalls=("P46",))
