"""What samples come to, the same in every level."""

import math
import statistics
from collections.abc import Sequence


def percentile(ordered: Sequence[float], share: float) -> float:
    """Return the smallest sample that `share` of them do not exceed; they come in order."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def median_with_interval(samples: Sequence[float]) -> tuple[float, float, float]:
    """Return the median and its 95 % confidence interval, rounded to four decimals.

    The interval is that of a sign test, so it assumes no distribution. Of fewer than six samples it
    reaches from the smallest to the largest, which is less than 95 %.
    """
    ordered = sorted(samples)
    reach = 0.98 * math.sqrt(len(ordered))
    low = max(math.floor(len(ordered) / 2 - reach) - 1, 0)
    high = min(math.ceil(len(ordered) / 2 + reach), len(ordered) - 1)
    median = statistics.median(ordered)
    return round(median, 4), round(ordered[low], 4), round(ordered[high], 4)
