"""Let several variants take turns at a statement, and sum up."""

import gc
import random
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Protocol, TypeVar

from benchmarks.database.contestant import Way
from benchmarks.medians import Ratio, median_ratio, percentile

_SECONDS = 2.0
"""What one statement in one variant may take in all, unless it is so slow that few calls do."""
_FEWEST_ROUNDS = 5


@dataclass(frozen=True)
class Pace:
    """How often a statement runs in each variant: `rounds` blocks of `repeat` calls.

    `warm_up` calls before are thrown away: psycopg prepares a statement after five, PostgreSQL
    settles on a plan after five more. Of bulk inserts a few do, for each is a thousand rows.
    """

    rounds: int
    repeat: int = 10
    warm_up: int = 15

    def bounded(self, seconds: float) -> "Pace":
        """Return the pace of a statement that takes so long: shorter blocks, then fewer."""
        calls = int(_SECONDS / seconds)
        return Pace(
            rounds=min(self.rounds, max(calls, _FEWEST_ROUNDS)),
            repeat=max(min(self.repeat, calls // self.rounds), 1),
            warm_up=min(self.warm_up, calls),
        )

    def of_bulk(self) -> "Pace":
        return Pace(max(self.rounds // 2, 1), repeat=1, warm_up=min(self.warm_up, 2))


@dataclass(frozen=True)
class Measurement(Ratio):
    """Times in microseconds; the ratio is the median of the rounds' ratios of block medians."""

    operation: str
    way: Way
    variant: str
    calls: int
    median_us: float
    p95_us: float


class Measured(Protocol):
    """A statement to measure; one of `bulk` is many rows."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def bulk(self) -> bool:
        """Whether one call is many rows."""


Statement = TypeVar("Statement", bound=Measured, contravariant=True)


class Timed(Protocol[Statement]):
    """A variant that runs."""

    @property
    def name(self) -> str:
        """What it is called."""

    def times(self, operation: Statement, way: Way, first: int, repeat: int) -> list[float]:
        """Return the seconds of `repeat` calls, from number `first` on."""


Rounds = list[list[list[float]]]
"""The seconds of each call, by variant and round."""


def measure_operation(
    contestants: Sequence[Timed[Statement]], operation: Statement, way: Way, pace: Pace
) -> list[Measurement]:
    """Return a measurement of each variant; the first is the floor of all others."""
    rounds = take_turns(contestants, operation, way, pace)
    return sum_up([one.name for one in contestants], rounds, operation.name, way)


def sum_up(
    names: Sequence[str], rounds: Rounds, operation: str, way: Way, floor: int = 0
) -> list[Measurement]:
    """Return a measurement of each variant; that with the number `floor` is the others'."""
    reference = [statistics.median(block) for block in rounds[floor]]
    found = []
    for name, mine in zip(names, rounds, strict=True):
        blocks = zip(mine, reference, strict=False)
        ratio = median_ratio([statistics.median(block) / theirs for block, theirs in blocks])
        calls = sorted(each * 1e6 for block in mine for each in block)
        found.append(
            Measurement(
                **asdict(ratio),
                operation=operation,
                way=way,
                variant=name,
                calls=len(calls),
                median_us=round(statistics.median(calls), 1),
                p95_us=round(percentile(calls, 0.95), 1),
            )
        )
    return found


def take_turns(
    contestants: Sequence[Timed[Statement]], operation: Statement, way: Way, pace: Pace
) -> Rounds:
    """Return the seconds of each call.

    In each round every variant runs one block, in an order drawn anew, so that none always follows
    the same other one. Slow statements run less often.
    """
    drawn = random.Random(f"{operation.name} {way}")  # noqa: S311
    rounds: Rounds = [[] for _ in contestants]
    paces = []
    for contestant in contestants:
        # Twice, because a first call may be slow while nothing is cached.
        quickest = min(contestant.times(operation, way, 0, 2))
        own = pace.of_bulk() if operation.bulk else pace.bounded(quickest)
        contestant.times(operation, way, 2, own.warm_up)
        paces.append(own)
    gc.collect()
    gc.disable()
    try:
        for turn in range(max(own.rounds for own in paces)):
            for number in drawn.sample(range(len(contestants)), len(contestants)):
                own = paces[number]
                if turn < own.rounds:
                    first = turn * own.repeat
                    times = contestants[number].times(operation, way, first, own.repeat)
                    rounds[number].append(times)
    finally:
        gc.enable()
    return rounds
