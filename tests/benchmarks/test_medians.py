"""What samples come to in every level of the benchmarks."""

from math import comb

import pytest

from benchmarks.medians import Ratio, Throughput, Turn, compare, median_ratio, percentile


@pytest.mark.parametrize("number", [6, 7, 8, 30, 60, 61, 100])
def test_the_interval_of_a_median_holds_it_in_95_of_100_runs(number: int) -> None:
    """Of that many samples, each is above the true median with probability one half."""
    found = median_ratio(range(number, 0, -1))
    outside = sum(comb(number, below) for below in range(int(found.ratio_low))) / 2**number
    high = number - int(found.ratio_high) + 1
    above = sum(comb(number, above) for above in range(high)) / 2**number
    assert outside + above <= 0.05


def test_the_median_is_between_the_two_in_the_middle() -> None:
    assert median_ratio([4.0, 1.0, 2.0, 3.0]) == Ratio(2.5, 1.0, 4.0)
    assert median_ratio([1.0]) == Ratio(1.0, 1.0, 1.0)


def test_a_percentile_is_one_of_the_samples() -> None:
    ordered = list(range(1, 101))
    assert [percentile(ordered, share) for share in (0.5, 0.95, 0.99, 1)] == [50, 95, 99, 100]
    assert percentile([7], 0.5) == 7


def test_turns_are_compared_by_requests_a_second() -> None:
    turns = {"without": [Turn(2.0, [1.0] * 10)], "with": [Turn(1.0, [5.0, 3.0, 4.0, 1.0])]}
    throughputs, ratio = compare(turns)
    assert throughputs == {
        "without": Throughput(10, 5.0, 1.0, 1.0),
        "with": Throughput(4, 4.0, 3.0, 5.0),
    }
    assert ratio == Ratio(0.8, 0.8, 0.8)
