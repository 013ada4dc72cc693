"""H111: a materialized view holds everybody's rows of a scoped table."""

from collections.abc import Iterator

from hedgerow.checks.grants import revoke_statement
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.checks.readers import readers
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find materialized views that the login may read, itself or through a view.

    They hold what their owner saw when they were refreshed, and can have no policies.
    """
    for view in readers(inspection):
        if view.stored and not view.invoker:
            yield Finding(
                subject=view.name,
                sentence=f"{view.name!r} shows what a materialized view holds of"
                f" {view.of_table!r}: whoever reads it sees every user's rows.",
                fix=revoke_statement(inspection, view.target),
            )


CHECK = Check("H111", Level.ERROR, "Materialized view", find, pitfalls=("P6",))
