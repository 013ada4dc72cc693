"""What is promised of the figures, and whether they keep it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.http.measure import WITH, WITHOUT, Measurement
from benchmarks.http.round_trips import RoundTrips

LEAST_RATIO = 0.98
MOST_EXTRA = 0


@dataclass(frozen=True)
class Goal:
    """A promise: `value` is the worst figure, found at `where`.

    It is to be at least `limit`, or at most where `at_most` says so. `clear` says that the figure's
    interval lies on one side of the limit: where it does not, another run may judge otherwise.
    """

    goal: str
    limit: float
    at_most: bool
    value: float
    where: str
    met: bool
    clear: bool


def judge(measurements: Sequence[Measurement], trips: Sequence[RoundTrips]) -> list[Goal]:
    """Return each goal; of round trips only where they were counted."""
    return [*_ratios(measurements), *([_extra(trips)] if trips else [])]


def _ratios(measurements: Sequence[Measurement]) -> Iterator[Goal]:
    for latency in sorted({one.latency_ms for one in measurements}):
        here = [one for one in measurements if one.latency_ms == latency]
        worst = min(here, key=lambda one: one.ratio)
        away = f", the database {latency:g} ms away" if latency else ""
        yield Goal(
            goal=f"requests a second with row security against without{away}",
            limit=LEAST_RATIO,
            at_most=False,
            value=worst.ratio,
            where=f"{worst.kind} {worst.load}, {worst.connections} connections",
            met=worst.ratio >= LEAST_RATIO,
            clear=worst.ratio_low >= LEAST_RATIO or worst.ratio_high < LEAST_RATIO,
        )


def _extra(trips: Sequence[RoundTrips]) -> Goal:
    counted = {(one.kind, one.load, one.variant): one.round_trips for one in trips}
    extra = {
        (kind, load): number - counted[kind, load, WITHOUT]
        for (kind, load, variant), number in counted.items()
        if variant == WITH
    }
    worst = max(extra, key=lambda key: extra[key])
    return Goal(
        goal="extra round trips to the database a request",
        limit=MOST_EXTRA,
        at_most=True,
        value=extra[worst],
        where=" ".join(worst),
        met=extra[worst] <= MOST_EXTRA,
        clear=True,
    )
