"""H111: a materialized view holds every user's rows of a scoped table."""

from collections.abc import Iterator

from hedgerow.checks.fixes import revoke_all
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find materialized views that the login may read, itself or through a view.

    They hold what their owner saw when they were refreshed, and can have no policies.
    """
    for view in inspection.views:
        if view.stored and not view.security_invoker:
            yield Finding(
                subject=view.name,
                sentence=f"{view.name!r} shows what a materialized view holds of"
                f" {view.table!r}: each user who reads it sees every user's rows.",
                fix=revoke_all(inspection, view.target),
            )


CHECK = Check("H111", Level.ERROR, "Materialized view bypasses RLS", find, pitfalls=("P6",))
