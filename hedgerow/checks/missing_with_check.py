"""H118: a policy lets a row be written for another user."""

from collections import defaultdict
from collections.abc import Iterator

from hedgerow.catalogs.policies import LivePolicy
from hedgerow.checks.fixes import fix_policy
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.checks.trial import become_new_user, true_for_another_users_row
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find permissive policies whose WITH CHECK is true for a row whose owner is another user.

    `WITH CHECK (true)` on an UPDATE lets a user give rows away, and on an INSERT write rows in
    another user's name. Without a WITH CHECK, USING is asked about the new row too.
    """
    if not inspection.row_security.enabled:
        return
    policies: defaultdict[int, dict[LivePolicy, str]] = defaultdict(dict)
    for policy in inspection.policies:
        if policy.new_row is not None:
            policies[policy.table][policy] = policy.new_row
    become_new_user(inspection)
    for oid, present in policies.items():
        holds = true_for_another_users_row(inspection, oid, present.values())
        table, scope = inspection.tables[oid]
        for policy, condition in present.items():
            if policy.with_check is None or not policy.permissive or not holds[condition]:
                continue
            if not any(
                not other.permissive
                and other.applies_to(policy.command)
                and not holds[its_condition]
                for other, its_condition in present.items()
            ):
                yield Finding(
                    subject=f"{table.fullname}.{policy.name}",
                    sentence=f"Policy {policy.name!r} of table {table.fullname!r} does not check"
                    " who owns the new row: a user can give rows away, or write rows as another"
                    " user.",
                    fix=fix_policy(inspection, table, scope, policy.name),
                )


CHECK = Check("H118", Level.ERROR, "Missing WITH CHECK", find, pitfalls=("P30",), at_start_up=True)
