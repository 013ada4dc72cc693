"""H107: a database role differs from the configuration."""

from collections.abc import Iterator

from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level
from hedgerow.provisioning.role_changes import pending_role_changes


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find roles that lack something they need, or have an attribute they should not.

    With CREATEROLE, an application's login was once able to make itself a second one.
    """
    for change in pending_role_changes(inspection.application, inspection.row_security):
        if not change.optional:
            yield Finding(
                subject=change.statement,
                sentence=f"{change.sentence} Its privileges differ from the configuration.",
                fix=f"{change.statement};",
            )


CHECK = Check("H107", Level.WARNING, "Role drift", find)
