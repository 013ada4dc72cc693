"""H105: a scoped table's policies or grants are not what the models declare."""

from collections.abc import Iterator

from hedgerow.checks.inspection import Inspection
from hedgerow.checks.model import Check
from hedgerow.findings import Finding, Level


def find(inspection: Inspection) -> Iterator[Finding]:
    """Find what a migration would still have to change, or what was changed by hand."""
    # Here, because it imports Alembic, which neither `hedgerow lint` nor a start has to load.
    from hedgerow.checks.schema_comparison import schema_differences

    return schema_differences(inspection)


CHECK = Check("H105", Level.ERROR, "Schema drift", find, pitfalls=("P38", "P39"))
