"""What makes a table slow under its policies, how to fix it, and what the figures leave out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from sqlalchemy import URL, Table

from hedgerow import sql
from hedgerow.bench.by_hand import tenant_column
from hedgerow.bench.execution import connect_read_only
from hedgerow.bench.questions import BY_ID, PAGE, Facts
from hedgerow.bench.report import Advice, Operation
from hedgerow.checks import (
    identity_each_row,
    index_not_leakproof,
    no_owner_index,
    table_state,
    unused_index,
)
from hedgerow.checks.inspection import Inspection
from hedgerow.checks.reports import page
from hedgerow.checks.runner import Answer, run
from hedgerow.config.project import Project
from hedgerow.policies.scope import Scope

_CHECKS = (
    table_state.CHECK,
    unused_index.CHECK,
    identity_each_row.CHECK,
    index_not_leakproof.CHECK,
    no_owner_index.CHECK,
)
"""The rules of `hedgerow check` that a slow statement can come from."""

_CHANGED_SHARE = 0.2
_CHANGED_ROWS = 1000


@dataclass(frozen=True)
class _OneTable(Inspection):
    """An inspection in which no other table exists."""

    only: Table | None = None

    @cached_property
    def scoped(self) -> tuple[tuple[Table, Scope], ...]:
        return tuple(pair for pair in super().scoped if pair[0] is self.only)


def advise(
    project: Project, url: URL, table: Table, facts: Facts, *, unordered_rows: int
) -> list[Advice]:
    """Return the findings of the checks about this table, then what only a measurement shows.

    `unordered_rows`: how many rows a user, or a tenant, has that no index has in order.
    """
    with connect_read_only(url, "Run `alembic upgrade head`.") as connection:
        inspection = _OneTable(connection, project.row_security, project.metadata, only=table)
        found: list[Advice] = []
        for answer in run(_CHECKS, inspection).answers:
            found.extend(_from_answer(answer))
    if unordered_rows > PAGE and no_owner_index.CHECK.number not in {one.check for one in found}:
        found.append(_order(table, unordered_rows))
    found.extend(_statistics(table, facts))
    return found


def _from_answer(answer: Answer) -> Iterator[Advice]:
    """Yield the first finding of a check: the others are the same of other statements."""
    for finding in answer.findings[:1]:
        more = len(answer.findings) - 1
        others = f" ({more} more of this kind.)" if more else ""
        yield Advice(
            finding.sentence + others, finding.fix, answer.check.number, page(answer.check)
        )


def _order(table: Table, rows: int) -> Advice:
    """Return what a list lacks for which all of a user's, or a tenant's, rows are read (P49)."""
    whose, of = ("tenant", "tenant's") if tenant_column(table) else ("owner", "user's")
    return Advice(
        f"No index of table {table.fullname!r} has one {whose}'s rows in an order: a list reads all"
        f" {rows:,} of the {of} to show the first {PAGE}.",
        f"Create an index on the {whose} and then the columns that the list is ordered by.",
        no_owner_index.CHECK.number,
        page(no_owner_index.CHECK),
    )


def _statistics(table: Table, facts: Facts) -> Iterator[Advice]:
    stale = facts.changed > max(_CHANGED_ROWS, _CHANGED_SHARE * facts.rows)
    if facts.never_analyzed or stale:
        what = "has no statistics" if facts.never_analyzed else "has outdated statistics"
        yield Advice(
            f"Table {table.fullname!r} {what}: PostgreSQL guesses how many rows a user owns, and"
            " may choose the wrong plan.",
            f"ANALYZE {sql.table_name(table.name, table.schema)};",
        )


def notes(
    table: Table,
    operations: Sequence[Operation],
    owned: int | None,
    seen: int | None,
    *,
    by_hand: bool,
) -> Iterator[str]:
    """Yield a sentence for each; `owned` and `seen` are None where they could not be counted."""
    if not by_hand:
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
