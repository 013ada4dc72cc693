"""What is promised of the figures, and whether they keep it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.database.contestant import Way
from benchmarks.database.measure import Measurement
from benchmarks.database.operations import OPERATIONS
from benchmarks.database.variants import FLOOR, HEDGEROW_PLAIN, HEDGEROW_SIGNED, Variant
from benchmarks.http.measure import WITH, WITHOUT, RoundTrips
from benchmarks.http.measure import Measurement as HttpMeasurement

GROWTH_LIMIT = 1.2
LEAST_RATIO = 0.98
_WRITES = {operation.name for operation in OPERATIONS if operation.writes}
_RATIOS: tuple[tuple[Variant, Way, str, float], ...] = (
    (HEDGEROW_PLAIN, "statement", "read", 1.02),
    (HEDGEROW_PLAIN, "statement", "write", 1.05),
    (HEDGEROW_SIGNED, "statement", "read", 1.05),
    (HEDGEROW_SIGNED, "statement", "write", 1.08),
    (HEDGEROW_PLAIN, "transaction", "any", 1.10),
    (HEDGEROW_SIGNED, "transaction", "any", 1.15),
)

Sizes = Mapping[int, Sequence[Measurement]]
"""What was measured, by the number of rows."""


@dataclass(frozen=True)
class Goal:
    """A promise: `value` is the worst figure, found at `where`.

    It is to be at most `limit`, or at least where `at_most` is false. `clear` says that the
    figure's interval lies on one side of the limit: otherwise another run may judge differently.
    """

    goal: str
    limit: float
    value: float
    where: str
    met: bool
    clear: bool
    at_most: bool = True


def judge_statements(sizes: Sizes, packages: Sequence[str]) -> list[Goal]:
    """Return each goal that the database level can tell about."""
    return [*_to_the_floor(sizes), *_to_packages(sizes, packages), *_growth(sizes)]


def _to_the_floor(sizes: Sizes) -> Iterator[Goal]:
    for variant, way, kind, limit in _RATIOS:
        found = [
            (one, rows)
            for rows, measurements in sizes.items()
            for one in measurements
            if (one.variant, one.way) == (variant.name, way)
            and kind in ("any", "write" if one.operation in _WRITES else "read")
        ]
        worst, rows = max(found, key=lambda pair: pair[0].ratio)
        yield Goal(
            goal=f"{variant.name}, {kind} {way}, against the floor",
            limit=limit,
            value=worst.ratio,
            where=f"{worst.operation}, {rows:,} rows",
            met=worst.ratio <= limit,
            clear=worst.ratio_high <= limit or worst.ratio_low > limit,
        )


def _to_packages(sizes: Sizes, packages: Sequence[str]) -> Iterator[Goal]:
    """No package is faster; a figure of 1 or less says that Hedgerow is the quicker one."""
    found: dict[Way, list[tuple[float, str, bool]]] = {"statement": [], "transaction": []}
    for rows, measurements in sizes.items():
        by_key = {(one.operation, one.way, one.variant): one for one in measurements}
        for (operation, way, variant), theirs in by_key.items():
            if variant in packages and way in found:
                ours = by_key[operation, way, HEDGEROW_PLAIN.name]
                apart = theirs.ratio_high < ours.ratio_low or ours.ratio_high < theirs.ratio_low
                where = f"{variant}, {operation}, {way}, {rows:,} rows"
                found[way].append((round(ours.ratio / theirs.ratio, 4), where, apart))
    for way, figures in found.items():
        if figures:
            value, where, apart = max(figures)
            goal = f"{HEDGEROW_PLAIN.name} against the quickest package, {way}"
            yield Goal(goal, 1.0, value, where, value <= 1.0, apart)


def _growth(sizes: Sizes) -> Iterator[Goal]:
    """One user's operations take no longer where the table is larger."""
    small, large = min(sizes), max(sizes)
    if small == large:
        return
    for variant in (FLOOR, HEDGEROW_PLAIN, HEDGEROW_SIGNED):
        before, after = (
            {(o.operation, o.way): o.median_us for o in sizes[rows] if o.variant == variant.name}
            for rows in (small, large)
        )
        ratios = {key: after[key] / before[key] for key in before.keys() & after.keys()}
        key = max(ratios, key=lambda key: ratios[key])
        yield Goal(
            goal=f"{variant.name}, {large:,} rows against {small:,}",
            limit=GROWTH_LIMIT,
            value=round(ratios[key], 4),
            where=", ".join(key),
            met=ratios[key] <= GROWTH_LIMIT,
            clear=abs(ratios[key] - GROWTH_LIMIT) > 0.05,
        )


def judge_requests(
    measurements: Sequence[HttpMeasurement], trips: Sequence[RoundTrips]
) -> Iterator[Goal]:
    """Yield each goal of the HTTP level; of round trips only where they were counted."""
    for latency in sorted({one.latency_ms for one in measurements}):
        here = [one for one in measurements if one.latency_ms == latency]
        worst = min(here, key=lambda one: one.ratio)
        away = f", the database {latency:g} ms away" if latency else ""
        yield Goal(
            goal=f"requests a second with row security against without{away}",
            limit=LEAST_RATIO,
            value=worst.ratio,
            where=f"{worst.kind} {worst.load}, {worst.connections} connections",
            met=worst.ratio >= LEAST_RATIO,
            clear=worst.ratio_low >= LEAST_RATIO or worst.ratio_high < LEAST_RATIO,
            at_most=False,
        )
    if trips:
        counted = {(one.kind, one.load, one.variant): one.round_trips for one in trips}
        extra = {
            f"{kind} {load}": number - counted[kind, load, WITHOUT]
            for (kind, load, variant), number in counted.items()
            if variant == WITH
        }
        where = max(extra, key=lambda key: extra[key])
        goal = "extra round trips to the database a request"
        yield Goal(goal, 0, extra[where], where, met=extra[where] <= 0, clear=True)
