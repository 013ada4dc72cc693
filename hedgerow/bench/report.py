"""Write a report, for people and for programs."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from hedgerow.bench.model import Operation, Plan, Report, TableReport, Timing

_ACCESS = {
    "owner index": "the owner is an index condition",
    "another index": "another index",
    "whole table": "reads the whole table",
    "no table": "reads no table",
}
_ASKED = {
    "once": "identity asked once",
    "each row": "identity asked for each row",
    "not at all": "identity not asked",
}


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as JSON takes it."""
    return {
        "identity": "signed" if report.signed else "plain",
        "rounds": report.limits.rounds,
        "timeout_seconds": report.limits.timeout,
        "tables": [
            {name: value for name, value in asdict(table).items() if name != "missing"}
            for table in report.tables
        ],
    }


def lines(report: Report) -> Iterator[str]:
    """Yield the report as lines."""
    for table in report.tables:
        yield from _table(table)
        yield ""
    kind = "signed" if report.signed else "plain"
    yield (
        f"Medians of {report.limits.rounds} rounds in turns, milliseconds, one statement each;"
        f" {kind} identities."
    )


def _table(table: TableReport) -> Iterator[str]:
    if table.skipped is not None:
        yield f"{table.table}: {table.skipped}"
        return
    owns = "" if table.user_rows is None else f" owns {table.user_rows:,}"
    yield f"{table.table}: about {table.rows:,} rows; user {table.user}{owns}"
    yield f"    {'':12}{'policy':>10}{'by hand':>10}{'ratio':>8}  plan under the policy"
    for operation in table.operations:
        yield from _operation(operation)
    for note in table.notes:
        yield f"    {note}"
    for advice in table.advice:
        yield f"    Advice: {advice.sentence}"
        yield f"        Fix: {advice.fix}"
        if advice.page is not None:
            yield f"        {advice.check}: {advice.page}"


def _operation(operation: Operation) -> Iterator[str]:
    ratio = "" if operation.ratio is None else f"{operation.ratio:.2f}"
    policy, by_hand = _median(operation.policy), _median(operation.by_hand)
    yield (
        f"    {operation.operation:12}{policy:>10}{by_hand:>10}{ratio:>8}  {_plan(operation.plan)}"
    )
    for way, timing in (("With the policy", operation.policy), ("By hand", operation.by_hand)):
        if timing is not None and timing.problem is not None:
            yield f"        {way} it failed: {timing.problem}."


def _median(timing: Timing | None) -> str:
    if timing is None:
        return ""
    return "-" if timing.median_ms is None else f"{timing.median_ms:.3f}"


def _plan(plan: Plan | None) -> str:
    if plan is None:
        return ""
    parts = [_ACCESS[plan.access], _ASKED[plan.identity]]
    if plan.sorts:
        parts.append("sorts")
    return ", ".join(parts)
