"""H104: a scoped table does not enforce its policies."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Table

from hedgerow import sql
from hedgerow.catalogs.tables import LiveTable
from hedgerow.checks.fixes import RESTORE, UPGRADE, WRITE_REVISION
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.policies.wanted import declared_protection, is_forced


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find scoped tables that are missing, lack policies, or differ from RLS_ENABLED or RLS_FORCE.

    A policy without ENABLE does nothing, and a comparison of names does not notice. ENABLE without
    a policy for a role shows that role nothing, and no error says so (P57).
    """
    for table, _ in inspection.scoped:
        live = inspection.live_tables.get(sql.table_name(table.name, table.schema))
        if live is None:
            yield Finding(
                table.fullname,
                f"Table {table.fullname!r} is missing: requests that use it fail.",
                WRITE_REVISION if inspection.live_tables else UPGRADE,
            )
        elif fault := _fault(inspection, table, live):
            sentence, fix = fault
            yield Finding(table.fullname, sentence, fix)


def _fault(inspection: Inspection, table: Table, live: LiveTable) -> tuple[str, str] | None:
    """Return what is wrong with a table that exists, and what fixes it."""
    wanted, name = inspection.row_security, table.fullname
    without = _roles_without_policy(inspection, table, live)
    if without and live.enabled:
        roles = ", ".join(map(repr, without))
        return f"Table {name!r} has lost its policies for {roles}: they see no row.", RESTORE
    if without and wanted.enabled:
        said = f"Table {name!r} has no policy: without row security every user sees every row."
        return said, WRITE_REVISION
    if wanted.enabled and not live.enabled:
        return f"Row security of table {name!r} is off: every user sees every row.", UPGRADE
    if live.enabled and not wanted.enabled:
        said = f"Row security of table {name!r} is on although RLS_ENABLED=false: no rows."
        return said, UPGRADE
    if live.forced is not is_forced(table, wanted):
        said = f"FORCE of table {name!r} differs from RLS_FORCE, which is about its owner."
        return said, UPGRADE
    return None


def _roles_without_policy(inspection: Inspection, table: Table, live: LiveTable) -> Sequence[str]:
    """Return the roles of requests for which the models declare policies and the table has none."""
    roles = inspection.row_security.roles
    declared = declared_protection(table, inspection.row_security).policies.values()
    wanted = {
        roles.deployed(role) for policy in declared if policy.permissive for role in policy.roles
    }
    let_in = {
        role
        for policy in inspection.policies
        if policy.table == live.oid and policy.permissive
        for role in policy.roles
    }
    if "public" in let_in:
        return ()
    return sorted(role for role in wanted - let_in if role in inspection.reach)


CHECK = Check(
    "H104", Level.ERROR, "RLS not enforced", find, pitfalls=("P37", "P57"), at_start_up=True
)
