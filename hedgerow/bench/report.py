"""What a measurement found, and how it is written for people and for programs."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True)
class Limits:
    """How often each statement runs, and after how many seconds the server ends it."""

    rounds: int
    timeout: float


Access = Literal["owner index", "tenant index", "another index", "whole table", "no table"]
"""How rows are found: by the owner, or the tenant, in an index; through an index with another
condition or none; or by reading every row. `no table`: what is counted is nowhere read."""

Asked = Literal["once", "each row", "not at all"]
"""How often a statement reads the identity: `once` is an InitPlan."""


@dataclass(frozen=True)
class Timing:
    """One way to run a statement: the median in milliseconds, or why there is none."""

    median_ms: float | None = None
    rounds: int = 0
    problem: str | None = None


@dataclass(frozen=True)
class Plan:
    """What PostgreSQL does under the policy.

    `init_plan_loops`: how often each InitPlan ran; None where the statement took too long to be
    run. `rows_filtered`: rows that were read and then discarded.
    """

    nodes: tuple[str, ...]
    access: Access
    identity: Asked
    sorts: bool
    init_plan_loops: tuple[int, ...] | None
    rows_filtered: int | None


@dataclass(frozen=True)
class Operation:
    """One statement with the policy, and by hand where there is an owner to compare with.

    `ratio` is the median of the rounds' ratios, policy to by hand. Of tenants' rows by hand is the
    array of the user's tenants, and `joined` the join with their memberships.
    """

    operation: str
    order: str | None
    policy: Timing
    by_hand: Timing | None
    ratio: float | None
    joined: Timing | None
    ratio_to_join: float | None
    plan: Plan | None


@dataclass(frozen=True)
class Advice:
    """What makes a table slow and what fixes it; `check` is the rule of `hedgerow check`."""

    sentence: str
    fix: str
    check: str | None = None
    page: str | None = None


@dataclass(frozen=True)
class TableReport:
    """One table: its operations, or in `skipped` why there are none.

    `rows` is PostgreSQL's own estimate. `user_rows` is what is the user's, None where it took too
    long to count. `tenants` is in how many the user is a member, where rows are of tenants.
    """

    table: str
    rows: int | None = None
    user: str | None = None
    user_rows: int | None = None
    tenants: int | None = None
    operations: tuple[Operation, ...] = ()
    notes: tuple[str, ...] = ()
    advice: tuple[Advice, ...] = ()
    skipped: str | None = None
    missing: bool = False


@dataclass(frozen=True)
class Report:
    """All scoped tables, and how they were measured."""

    tables: tuple[TableReport, ...]
    limits: Limits
    signed: bool


_ACCESS = {
    "owner index": "the owner is an index condition",
    "tenant index": "the tenant is an index condition",
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
    yield f"{table.table}: about {table.rows:,} rows; user {table.user}{_owns(table)}"
    joined = any(operation.joined for operation in table.operations)
    more = f"{'join':>10}{'ratio':>8}" if joined else ""
    yield f"    {'':14}{'policy':>10}{'by hand':>10}{'ratio':>8}{more}  plan under the policy"
    for operation in table.operations:
        yield from _operation(operation, joined=joined)
    for note in table.notes:
        yield f"    {note}"
    for advice in table.advice:
        yield f"    Advice: {advice.sentence}"
        yield f"        Fix: {advice.fix}"
        if advice.page is not None:
            yield f"        {advice.check}: {advice.page}"


def _owns(table: TableReport) -> str:
    noun = "tenant" if table.tenants == 1 else "tenants"
    tenants = "" if table.tenants is None else f" in {table.tenants:,} {noun}"
    if table.user_rows is None:
        return tenants
    return f"{tenants} {'owns' if table.tenants is None else 'sees'} {table.user_rows:,}"


def _operation(operation: Operation, *, joined: bool) -> Iterator[str]:
    policy, by_hand = _median(operation.policy), _median(operation.by_hand)
    more = f"{_median(operation.joined):>10}{_ratio(operation.ratio_to_join):>8}" if joined else ""
    yield (
        f"    {operation.operation:14}{policy:>10}{by_hand:>10}{_ratio(operation.ratio):>8}{more}"
        f"  {_plan(operation.plan)}"
    )
    for way, timing in (
        ("With the policy", operation.policy),
        ("By hand", operation.by_hand),
        ("Joined", operation.joined),
    ):
        if timing is not None and timing.problem is not None:
            yield f"        {way} it failed: {timing.problem}."


def _ratio(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


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
