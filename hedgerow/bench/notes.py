"""What a reader of the figures must know: what was not measured, and what was not compared."""

from collections.abc import Iterator, Sequence

from sqlalchemy import Table

from hedgerow.bench.model import Operation
from hedgerow.bench.questions import BY_ID
from hedgerow.policies.scope import Scope


def notes(
    table: Table,
    scope: Scope,
    operations: Sequence[Operation],
    owned: int | None,
    seen: int | None,
) -> Iterator[str]:
    """Yield a sentence for each; `owned` and `seen` are None where they could not be counted."""
    if scope.owner_column is None:
        yield "No column names an owner, so there is no WHERE to compare with."
    elif None not in (owned, seen) and owned != seen:
        yield (
            f"The policies show the user {seen:,} rows, who owns {owned:,}: the two ways do not do"
            " the same, so read the ratio with care."
        )
    measured = {operation.operation for operation in operations}
    if not table.primary_key.columns:
        yield "The table has no primary key: nothing is got by id."
    elif BY_ID not in measured:
        yield "No row of the user was found: nothing is got by id."
