"""What a measurement says, for people and for programs."""

from dataclasses import dataclass
from typing import Literal

from hedgerow.bench.connections import Limits

Access = Literal["owner index", "another index", "whole table", "no table"]
"""How rows are found: by the owner, in an index; through an index with another condition or none;
or by reading every row. `no table`: what is counted is nowhere read."""

Asked = Literal["once", "each row", "not at all"]
"""How often a statement asks who is asking: `once` is an InitPlan."""


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
    run. `rows_filtered`: rows that were read in vain.
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

    `ratio` is the median of the rounds' ratios, policy to by hand.
    """

    operation: str
    order: str | None
    policy: Timing
    by_hand: Timing | None
    ratio: float | None
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

    `rows` is PostgreSQL's own estimate. `user_rows` is what the user owns, None where it took too
    long to count.
    """

    table: str
    rows: int | None = None
    user: str | None = None
    user_rows: int | None = None
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
