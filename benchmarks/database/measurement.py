"""What samples come to: medians, and ratios to the floor with their intervals."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.database.measure import Samples, Way
from benchmarks.database.variants import Variant
from benchmarks.medians import median_with_interval, percentile


@dataclass(frozen=True)
class Measurement:
    """Times in microseconds, and the ratio to the floor with its 95 % confidence interval.

    The ratio is the median of the rounds' ratios, each of a block's median to that of the floor's
    block in the same round; the interval is that of a median (a sign test), so it assumes no
    distribution.
    """

    operation: str
    way: Way
    variant: str
    calls: int
    median_us: float
    p95_us: float
    ratio: float
    ratio_low: float
    ratio_high: float


def summarize(
    samples: dict[str, Samples], variants: Sequence[Variant], operation: str, way: Way
) -> list[Measurement]:
    """Return a measurement of each variant that was sampled together with its floor."""
    found = []
    for variant in variants:
        mine, floor = samples[variant.name], samples[variant.floor]
        ratios = [
            statistics.median(block) / statistics.median(reference)
            for block, reference in zip(mine.rounds, floor.rounds, strict=False)
        ]
        ratio, low, high = median_with_interval(ratios)
        found.append(
            Measurement(
                operation,
                way,
                variant.name,
                calls=len(mine.all),
                median_us=round(statistics.median(mine.all) * 1e6, 1),
                p95_us=round(percentile(sorted(mine.all), 0.95) * 1e6, 1),
                ratio=ratio,
                ratio_low=low,
                ratio_high=high,
            )
        )
    return found
