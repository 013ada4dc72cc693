"""H110: a view shows a scoped table's rows with the rights of its owner."""

from collections.abc import Iterator

from hedgerow.checks.fixes import unless_policies_need
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find views whose owner bypasses the policies, and that lack `security_invoker`.

    Migrations make views as the tables' owner, and a view has its owner's rights unless told
    otherwise: a report for one user's dashboard shows every user's rows.
    """
    for view in inspection.views:
        if view.bypasses_policies and not view.security_invoker and not view.materialized:
            yield Finding(
                subject=view.name,
                sentence=f"View {view.name!r} reads {view.table!r} with the rights of"
                f" {view.owner!r}: each user who reads it sees every user's rows.",
                fix=unless_policies_need(
                    inspection,
                    view.target,
                    f"ALTER VIEW {view.target} SET (security_invoker = true);",
                ),
            )


CHECK = Check("H110", Level.ERROR, "View bypasses RLS", find, pitfalls=("P5",))
