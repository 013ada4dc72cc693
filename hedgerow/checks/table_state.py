"""H104: a scoped table does not enforce what its model says."""

from collections.abc import Iterator

from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.provisioning.switches import read_state


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find scoped tables that are missing, have no policy, or whose switches are not the settings'.

    A policy without ENABLE does nothing, and a comparison of names calls it fine.
    """
    wanted = inspection.row_security
    for table, _ in inspection.scoped:
        state = read_state(inspection.application, table.name, table.schema)
        name = table.fullname
        if state is None:
            said = f"Table {name!r} is missing: requests that use it fail."
        elif state.policies == 0:
            said = f"Table {name!r} has no policy: without row security everybody sees everything."
        elif wanted.enabled and not state.enabled:
            said = f"Row security of table {name!r} is off: everybody sees everything."
        elif state.enabled and not wanted.enabled:
            said = f"Row security of table {name!r} is on although RLS_ENABLED=false: no rows."
        elif state.forced is not wanted.force:
            said = f"FORCE of table {name!r} is not what RLS_FORCE says for the tables' owner."
        else:
            continue
        yield Finding(subject=name, sentence=said, fix="alembic upgrade head")


CHECK = Check("H104", Level.ERROR, "Table not enforcing", find, pitfalls=("P37",), at_start_up=True)
