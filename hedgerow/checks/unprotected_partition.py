"""H114: a partition or child of a scoped table can be used directly, without its policies."""

from collections.abc import Iterator

from hedgerow.catalogs.tables import open_children
from hedgerow.checks.fixes import revoke_all
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find children that the login may use by name and that have no row security of their own.

    The policies that apply are those of the table that a statement names: `SELECT * FROM item_2026`
    shows all rows, while the same rows read through `item` are filtered. `GRANT ... ON ALL TABLES
    IN SCHEMA` opens every partition.
    """
    if inspection.login.rolsuper:
        return  # H101 reports it
    for child in open_children(inspection.application, list(inspection.tables), inspection.reach):
        yield Finding(
            subject=child.name,
            sentence=f"{child.name!r} is a part of {child.parent!r} without row security of its"
            " own: a query that names it sees every user's rows.",
            fix=revoke_all(inspection, child.target),
        )


CHECK = Check("H114", Level.ERROR, "Partition without RLS", find, pitfalls=("P8",))
