"""The statistics of the bench, against what can be counted by hand and against Python's own."""

import math
import random
import statistics

import pytest

from bench.stats import Spread, percentile, ratio, slope


def test_a_spread_is_the_median_and_both_ends() -> None:
    assert Spread.of([3, 1, 2]) == Spread(median=2, low=1, high=3)
    assert Spread.of([4, 1]) == Spread(median=2.5, low=1, high=4)


def test_a_ratio_is_of_what_was_measured_a_moment_apart() -> None:
    """The machine is ten times as fast in the second round: the ratio stays, that of the medians would not."""
    assert ratio([20, 200, 21], [10, 100, 10]) == Spread(median=2, low=2, high=2.1)
    assert ratio([1], [0]).median == math.inf


def test_a_ratio_needs_as_many_rounds_of_both() -> None:
    with pytest.raises(ValueError, match="shorter"):
        ratio([1, 2], [1])


@pytest.mark.parametrize(("share", "expected"), [(0.5, 5), (0.95, 10), (0.99, 10), (0.1, 1), (0.11, 2), (1, 10)])
def test_a_percentile_is_the_smallest_that_so_many_do_not_exceed(share: float, expected: int) -> None:
    assert percentile(range(1, 11), share) == expected


def test_a_percentile_of_many_is_near_the_quantile() -> None:
    draw = random.Random(3)
    values = sorted(draw.expovariate(1) for _ in range(20_000))
    assert percentile(values, 0.95) == pytest.approx(statistics.quantiles(values, n=20)[-1], rel=0.001)
    assert percentile(values, 0.95) == pytest.approx(-math.log(0.05), rel=0.05)


@pytest.mark.parametrize("share", [0, -1, 1.01])
def test_a_share_is_above_0_and_at_most_1(share: float) -> None:
    with pytest.raises(ValueError, match="a share is above 0"):
        percentile([1], share)


def test_a_slope_is_that_of_the_line_through_them() -> None:
    draw = random.Random(5)
    assert slope([5, 7, 9]) == 2
    assert slope([4, 4, 4, 4]) == 0
    noisy = [3 * place + draw.gauss(0, 5) for place in range(400)]
    assert slope(noisy) == pytest.approx(statistics.linear_regression(range(400), noisy).slope)
