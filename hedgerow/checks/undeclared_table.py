"""H128: a table does not say whose rows it holds."""

from collections.abc import Iterator

from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.policies.declarations import consequence, likely_fix, undeclared_tables


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find tables of the models without `__rls__`, and show the declarations that are likely.

    Comments on an item, or a link between two tables, are open to everybody once their privileges
    come by default.
    """
    for table in undeclared_tables(inspection.metadata.tables.values()):
        fix = likely_fix(table)
        yield Finding(table.fullname, f"{consequence(table)}.", f"{fix[0].upper()}{fix[1:]}.")


CHECK = Check("H128", Level.ERROR, "Undeclared table", find, pitfalls=("P50",), at_start_up=True)
