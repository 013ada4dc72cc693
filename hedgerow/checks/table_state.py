"""H104: a scoped table does not enforce its policies."""

from collections.abc import Iterator

from hedgerow import sql
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.policies.wanted import is_forced


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find scoped tables that are missing, have no policy, or differ from RLS_ENABLED or RLS_FORCE.

    A policy without ENABLE does nothing, and a comparison of names does not notice.
    """
    wanted = inspection.row_security
    for table, _ in inspection.scoped:
        live = inspection.live_tables.get(sql.table_name(table.name, table.schema))
        name = table.fullname
        if live is None:
            said = f"Table {name!r} is missing: requests that use it fail."
        elif live.policies == 0:
            said = f"Table {name!r} has no policy: without row security every user sees every row."
        elif wanted.enabled and not live.enabled:
            said = f"Row security of table {name!r} is off: every user sees every row."
        elif live.enabled and not wanted.enabled:
            said = f"Row security of table {name!r} is on although RLS_ENABLED=false: no rows."
        elif live.forced is not is_forced(table, wanted):
            said = f"FORCE of table {name!r} differs from RLS_FORCE, which is about its owner."
        else:
            continue
        yield Finding(subject=name, sentence=said, fix="alembic upgrade head")


CHECK = Check("H104", Level.ERROR, "RLS not enforced", find, pitfalls=("P37",), at_start_up=True)
