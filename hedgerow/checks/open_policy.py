"""H117: a policy lets rows of somebody else through."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from hedgerow.checks.conditions import Command, LivePolicy, live_policies, true_for_strangers_row
from hedgerow.checks.fixing import fix_policy
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.checks.strangers import become_stranger
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find permissive policies that are true for a row whose owner is somebody else.

    Permissive policies are OR-ed, so one `USING (true)`, added to make a report work, undoes all
    the others. Restrictive policies that hold such a row back count.
    """
    if not inspection.row_security.enabled:
        return
    policies = defaultdict(list)
    for policy in live_policies(inspection):
        policies[policy.table].append(policy)
    become_stranger(inspection)
    for oid, present in policies.items():
        conditions = [policy.using for policy in present if policy.using is not None]
        holds = true_for_strangers_row(inspection, oid, conditions)
        table, scope = inspection.tables[oid]
        for policy in present:
            if any(_lets_through(policy, present, holds, command) for command in _READ_BY_USING):
                yield Finding(
                    subject=f"{table.fullname}.{policy.name}",
                    sentence=f"Policy {policy.name!r} of table {table.fullname!r} lets rows of"
                    " somebody else through, whatever the other policies say.",
                    fix=fix_policy(inspection, table, scope, policy.name),
                )


_READ_BY_USING = [command for command in get_args(Command) if command != "a"]


def _lets_through(
    policy: LivePolicy,
    present: Sequence[LivePolicy],
    holds: Mapping[str, bool],
    command: Command,
) -> bool:
    """Return whether `policy` opens `command` and no restrictive policy closes it again."""
    if not (policy.permissive and policy.applies_to(command) and holds.get(policy.using or "")):
        return False
    return all(
        holds.get(other.using or "", True)
        for other in present
        if not other.permissive and other.applies_to(command)
    )


CHECK = Check("H117", Level.ERROR, "Open policy", find, pitfalls=("P29",), at_start_up=True)
