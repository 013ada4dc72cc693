"""H110: a view shows a scoped table's rows with the rights of its owner."""

from collections.abc import Iterator

from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.checks.readers import readers
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find views whose owner goes round the policies, and that lack `security_invoker`.

    Migrations make views as the tables' owner, and a view asks for its owner's rights unless told
    otherwise: a report for one's own dashboard shows everybody's rows.
    """
    for view in readers(inspection):
        if view.strong and not view.invoker and not view.materialized:
            yield Finding(
                subject=view.name,
                sentence=f"View {view.name!r} reads {view.of_table!r} with the rights of"
                f" {view.owner!r}: whoever reads it sees every user's rows.",
                fix=f"ALTER VIEW {view.target} SET (security_invoker = true);",
            )


CHECK = Check("H110", Level.ERROR, "View goes round policies", find, pitfalls=("P5",))
