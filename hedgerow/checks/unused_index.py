"""H121: the comparison with the owner, the tenant or the parent's key cannot use the index."""

from collections.abc import Iterator

from sqlalchemy import text

from hedgerow.checks.fixes import fix_policy
from hedgerow.checks.inspection import Inspection, UndeterminedError
from hedgerow.checks.model import Check
from hedgerow.checks.no_owner_index import unindexed_columns
from hedgerow.checks.plans import Command, indexed_commands, scans
from hedgerow.checks.trial import become_new_user
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find tables that a user's request reads from end to end although the owner has an index.

    `owner_id = (SELECT rls.user_id()) OR is_admin` took 46 ms for one user's rows in a million, and
    the bare comparison 0.06 ms. PostgreSQL is forbidden to read the table, or an index, from end to
    end, so that it looks the owner up however small the table still is, if it can. Children come by
    the index on their key.
    """
    if not inspection.row_security.enabled:
        return
    become_new_user(inspection)
    for method in ("enable_seqscan", "enable_indexonlyscan"):
        inspection.application.execute(text(f"SET LOCAL {method} = off"))
    unindexed = unindexed_columns(inspection)
    for oid, (table, scope) in inspection.tables.items():
        if oid in unindexed:
            continue
        for command in indexed_commands(inspection, table, scope):
            nodes = scans(inspection, oid, scope, command)
            if all("Index Cond" in node or "Recheck Cond" in node for node in nodes):
                continue
            deciding = " or ".join(map(repr, scope.deciding_columns))
            yield Finding(
                subject=f"{table.fullname} {command}",
                sentence=f"{command} on table {table.fullname!r} cannot use the index on"
                f" {deciding}: each request reads every user's rows, and one user can slow all"
                " users down.",
                fix=_fix(inspection, oid, command),
            )
    if unindexed:
        names = ", ".join(
            f"{inspection.tables[oid][0].fullname}.{column}"
            for oid, columns in unindexed.items()
            for column in columns
        )
        raise UndeterminedError(f"No index leads with {names} (H124).")


def _fix(inspection: Inspection, oid: int, command: Command) -> str:
    """Return what brings each policy of the command back to what its model says."""
    table, scope = inspection.tables[oid]
    fixed = [
        fix_policy(inspection, table, scope, policy.name)
        for policy in inspection.policies
        if policy.table == oid and policy.permissive and policy.applies_to(command)
    ]
    by_hand = [fix for fix in fixed if not fix.endswith(";")]
    return by_hand[0] if by_hand else " ".join(fixed)


CHECK = Check("H121", Level.WARNING, "Owner index unused", find, pitfalls=("P45", "P48"))
