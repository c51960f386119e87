"""Medians, their spread, and ratios of rounds that took turns."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Spread:
    """The median of some rounds, with the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """At least one value."""
        return cls(median(values), min(values), max(values))


def ratio(over: Sequence[float], under: Sequence[float]) -> Spread:
    """Of two variants, round by round: what was measured a moment apart is divided, not the medians of both.

    Both have a value a round. Where one of `under` is 0 the ratio is infinite.
    """
    pairs = zip(over, under, strict=True)
    return Spread.of([math.inf if low == 0 else high / low for high, low in pairs])


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of them do not exceed; `ordered` is sorted and not empty."""
    if not 0 < share <= 1:
        raise ValueError(f"a share is above 0 and at most 1, not {share}")
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def slope(values: Sequence[float]) -> float:
    """By how much each is above the one before, by least squares; two values or more."""
    middle = (len(values) - 1) / 2
    mean = sum(values) / len(values)
    over = sum((place - middle) * (value - mean) for place, value in enumerate(values))
    return over / sum((place - middle) ** 2 for place in range(len(values)))
