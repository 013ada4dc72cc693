"""What is promised of the figures, and whether they keep it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from benchmarks.database.measure import Way
from benchmarks.database.measurement import Measurement
from benchmarks.database.operations import OPERATIONS
from benchmarks.database.size import Size
from benchmarks.database.variants import FLOOR, HEDGEROW_PLAIN, HEDGEROW_SIGNED, Variant

_WRITES = {operation.name for operation in OPERATIONS if operation.writes}
GROWTH_LIMIT = 1.2

Kind = Literal["read", "write"]


@dataclass(frozen=True)
class Goal:
    """A promise: `value` is the worst figure, found at `where`; it is to be at most `limit`.

    `clear` says that the interval of that figure lies on one side of the limit: where it does not,
    another run may judge otherwise.
    """

    goal: str
    limit: float
    value: float
    where: str
    met: bool
    clear: bool


_RATIOS: tuple[tuple[Variant, Way, Kind | None, float], ...] = (
    (HEDGEROW_PLAIN, "statement", "read", 1.02),
    (HEDGEROW_PLAIN, "statement", "write", 1.05),
    (HEDGEROW_SIGNED, "statement", "read", 1.05),
    (HEDGEROW_SIGNED, "statement", "write", 1.08),
    (HEDGEROW_PLAIN, "transaction", None, 1.10),
    (HEDGEROW_SIGNED, "transaction", None, 1.15),
)


def judge(sizes: Sequence[Size], packages: Sequence[str]) -> list[Goal]:
    """Return each goal that these sizes can tell about."""
    return [*_ratio_goals(sizes), *_package_goals(sizes, packages), *_growth_goals(sizes)]


def _ratio_goals(sizes: Sequence[Size]) -> Iterator[Goal]:
    for variant, way, kind, limit in _RATIOS:
        found = [
            (one, size.rows)
            for size in sizes
            for one in size.measurements
            if one.variant == variant.name and one.way == way and kind in (None, _kind(one))
        ]
        worst, rows = max(found, key=lambda pair: pair[0].ratio)
        yield Goal(
            goal=f"{variant.name}, {kind or 'any'} {way}, against the floor",
            limit=limit,
            value=worst.ratio,
            where=f"{worst.operation}, {rows:,} rows",
            met=worst.ratio <= limit,
            clear=worst.ratio_high <= limit or worst.ratio_low > limit,
        )


def _package_goals(sizes: Sequence[Size], packages: Sequence[str]) -> Iterator[Goal]:
    """Nobody is faster; a figure of 1 or less says that Hedgerow is the quicker one."""
    found = []
    for size in sizes:
        by_key = {(one.operation, one.way, one.variant): one for one in size.measurements}
        for (operation, way, variant), theirs in by_key.items():
            if variant in packages:
                ours = by_key[operation, way, HEDGEROW_PLAIN.name]
                apart = theirs.ratio_high < ours.ratio_low or ours.ratio_high < theirs.ratio_low
                where = f"{variant}, {operation}, {way}, {size.rows:,} rows"
                found.append((ours.ratio / theirs.ratio, where, apart))
    if not found:
        return
    for way in ("statement", "transaction"):
        value, where, apart = max(each for each in found if f", {way}, " in each[1])
        yield Goal(
            goal=f"{HEDGEROW_PLAIN.name} against the quickest package, {way}",
            limit=1.0,
            value=round(value, 4),
            where=where,
            met=value <= 1.0,
            clear=apart,
        )


def _growth_goals(sizes: Sequence[Size]) -> Iterator[Goal]:
    """One user's operations take no longer where the table is larger."""
    if len(sizes) < 2:
        return
    small, large = (min(sizes, key=_rows), max(sizes, key=_rows))
    for variant in (FLOOR, HEDGEROW_PLAIN, HEDGEROW_SIGNED):
        before = {(o.operation, o.way): o for o in small.measurements if o.variant == variant.name}
        after = {(o.operation, o.way): o for o in large.measurements if o.variant == variant.name}
        key = max(before, key=lambda key: after[key].median_us / before[key].median_us)
        value = after[key].median_us / before[key].median_us
        yield Goal(
            goal=f"{variant.name}, {large.rows:,} rows against {small.rows:,}",
            limit=GROWTH_LIMIT,
            value=round(value, 4),
            where=", ".join(key),
            met=value <= GROWTH_LIMIT,
            clear=abs(value - GROWTH_LIMIT) > 0.05,
        )


def _rows(size: Size) -> int:
    return size.rows


def _kind(one: Measurement) -> Kind:
    return "write" if one.operation in _WRITES else "read"
