"""Let several variants take turns at a statement, and sum up."""

import gc
import random
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from benchmarks.database.contestant import Contestant, Way
from benchmarks.database.operations import Operation
from benchmarks.medians import Ratio, median_ratio, percentile

_SECONDS = 2.0
"""What one statement in one variant may take in all, unless it is so slow that few calls do."""
_FEWEST_ROUNDS = 5

Rounds = list[list[float]]
"""Seconds of each call, by round."""


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
    """Times in microseconds, and the ratio to the floor.

    The ratio is the median of the rounds' ratios, each of a block's median to that of the floor's
    block in the same round.
    """

    operation: str
    way: Way
    variant: str
    calls: int
    median_us: float
    p95_us: float


def measure_operation(
    contestants: Sequence[Contestant], operation: Operation, way: Way, pace: Pace
) -> list[Measurement]:
    """Return a measurement of each variant; the first is the floor of all others."""
    rounds = _take_turns(contestants, operation, way, pace)
    floor = next(iter(rounds.values()))
    found = []
    for variant, mine in rounds.items():
        ratios = [
            statistics.median(block) / statistics.median(reference)
            for block, reference in zip(mine, floor, strict=False)
        ]
        calls = sorted(each for block in mine for each in block)
        median, p95 = statistics.median(calls), percentile(calls, 0.95)
        found.append(
            Measurement(
                **asdict(median_ratio(ratios)),
                operation=operation.name,
                way=way,
                variant=variant,
                calls=len(calls),
                median_us=round(median * 1e6, 1),
                p95_us=round(p95 * 1e6, 1),
            )
        )
    return found


def _take_turns(
    contestants: Sequence[Contestant], operation: Operation, way: Way, pace: Pace
) -> dict[str, Rounds]:
    """Return the samples of each variant.

    In each round every variant runs one block, in an order drawn anew, so that none always follows
    the same other one. Slow statements run less often.
    """
    drawn = random.Random(f"{operation.name} {way}")  # noqa: S311
    rounds: dict[str, Rounds] = {contestant.variant.name: [] for contestant in contestants}
    paces = {}
    for contestant in contestants:
        # Twice, because a first call may be slow for want of anything in the cache.
        quickest = min(contestant.times(operation, way, 0, 2))
        own = pace.of_bulk() if operation.bulk else pace.bounded(quickest)
        contestant.times(operation, way, 2, own.warm_up)
        paces[contestant.variant.name] = own
    gc.collect()
    gc.disable()
    try:
        for turn in range(max(own.rounds for own in paces.values())):
            for contestant in drawn.sample(contestants, len(contestants)):
                own = paces[contestant.variant.name]
                if turn < own.rounds:
                    times = contestant.times(operation, way, turn * own.repeat, own.repeat)
                    rounds[contestant.variant.name].append(times)
    finally:
        gc.enable()
    return rounds
