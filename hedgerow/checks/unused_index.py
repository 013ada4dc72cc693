"""H121: the owner comparison is no index condition."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow.checks.conditions import Command, live_policies
from hedgerow.checks.fixing import fix_policy
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check, UndeterminedError
from hedgerow.checks.owner_indexes import tables_without_owner_index
from hedgerow.checks.plans import SPELLED, scans
from hedgerow.checks.strangers import become_stranger
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find tables that a user's request reads from end to end although the owner has an index.

    `owner_id = (SELECT rls.user_id()) OR is_admin` took 46 ms for one user's rows in a million, and
    the bare comparison 0.06 ms. PostgreSQL is forbidden to scan the table, so that it uses the
    index however small the table still is, if it can.
    """
    if not inspection.row_security.enabled:
        return
    become_stranger(inspection)
    inspection.application.execute(text("SET LOCAL enable_seqscan = off"))
    unindexed = tables_without_owner_index(inspection)
    for oid, (table, scope) in inspection.tables.items():
        if scope.owner_column is None or oid in unindexed:
            continue
        for command, spelled in SPELLED.items():
            nodes = scans(inspection, oid, scope, command)
            if all("Index Cond" in node or "Recheck Cond" in node for node in nodes):
                continue
            yield Finding(
                subject=f"{table.fullname} {spelled}",
                sentence=f"{spelled} on table {table.fullname!r} cannot use the index on"
                f" {scope.owner_column!r}: each request reads every user's rows, and anybody can"
                " slow everybody down.",
                fix=_fix(inspection, oid, command),
            )
    if unindexed:
        names = ", ".join(inspection.tables[oid][0].fullname for oid in unindexed)
        raise UndeterminedError(f"No index leads with the owner of {names} (H124).")


def _fix(inspection: Inspection, oid: int, command: Command) -> str:
    """Return what brings each policy of the command back to what its model says."""
    table, scope = inspection.tables[oid]
    fixed = [
        fix_policy(inspection, table, scope, policy.name)
        for policy in live_policies(inspection)
        if policy.table == oid and policy.permissive and policy.applies_to(command)
    ]
    by_hand = [fix for fix in fixed if not fix.endswith(";")]
    return by_hand[0] if by_hand else " ".join(fixed)


CHECK = Check("H121", Level.WARNING, "Owner's index unused", find, pitfalls=("P45", "P48"))
