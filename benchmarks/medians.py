"""What samples come to, the same in every level."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Throughput:
    """One variant: requests a second (median of the rounds), milliseconds of all its requests."""

    requests: int
    requests_per_second: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Turn:
    """One turn under load: how long it took, and the milliseconds of each request."""

    seconds: float
    milliseconds: Sequence[float]


@dataclass(frozen=True)
class Ratio:
    """A median, with its 95 % confidence interval."""

    ratio: float
    ratio_low: float
    ratio_high: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest sample that `share` of them do not exceed; they come in order."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def median_ratio(ratios: Sequence[float]) -> Ratio:
    """Return the median with its interval, rounded to four decimals.

    The interval is that of a sign test, so it assumes no distribution. Of fewer than six ratios it
    reaches from the smallest to the largest, which is less than 95 %.
    """
    ordered = sorted(ratios)
    reach = 0.98 * math.sqrt(len(ordered))
    low = ordered[max(math.floor(len(ordered) / 2 - reach) - 1, 0)]
    high = ordered[min(math.ceil(len(ordered) / 2 + reach), len(ordered) - 1)]
    return Ratio(*(round(one, 4) for one in (statistics.median(ordered), low, high)))


def compare(turns: Mapping[str, Sequence[Turn]]) -> tuple[dict[str, Throughput], Ratio]:
    """Return the throughput `without` and `with` something, and the ratio of the latter."""
    rates, throughputs = {}, {}
    for variant, mine in turns.items():
        rates[variant] = [len(turn.milliseconds) / turn.seconds for turn in mine]
        taken = sorted(each for turn in mine for each in turn.milliseconds)
        throughputs[variant] = Throughput(
            requests=len(taken),
            requests_per_second=round(statistics.median(rates[variant]), 1),
            p50_ms=round(percentile(taken, 0.50), 3),
            p99_ms=round(percentile(taken, 0.99), 3),
        )
    pairs = zip(rates["with"], rates["without"], strict=True)
    return throughputs, median_ratio([mine / reference for mine, reference in pairs])
