"""What samples come to in every level of the benchmarks."""

from math import comb

import pytest

from benchmarks.medians import median_with_interval, percentile


@pytest.mark.parametrize("number", [6, 7, 8, 30, 60, 61, 100])
def test_the_interval_of_a_median_holds_it_in_95_of_100_runs(number: int) -> None:
    """Of that many samples, each is above the true median with probability one half."""
    _, low, high = median_with_interval(range(number, 0, -1))
    outside = sum(comb(number, below) for below in range(int(low))) / 2**number
    above = sum(comb(number, above) for above in range(number - int(high) + 1)) / 2**number
    assert outside + above <= 0.05


def test_the_median_is_between_the_two_in_the_middle() -> None:
    assert median_with_interval([4.0, 1.0, 2.0, 3.0]) == (2.5, 1.0, 4.0)
    assert median_with_interval([1.0]) == (1.0, 1.0, 1.0)


def test_a_percentile_is_one_of_the_samples() -> None:
    ordered = list(range(1, 101))
    assert [percentile(ordered, share) for share in (0.5, 0.95, 0.99, 1)] == [50, 95, 99, 100]
    assert percentile([7], 0.5) == 7
