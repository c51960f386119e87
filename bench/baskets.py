"""Baskets as a grocery sells them, from a seed: how many lines they have, and which products.

Fitted to 9,835 baskets of a grocery's month (`python -m bench.fit FILE` says how well): sizes by a negative binomial
without its zero, popularity by a power of the rank that an exponential cuts off.
"""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

PRODUCTS = 169
MOST_LINES = 32


@dataclass(frozen=True, slots=True)
class Shape:
    """Of baskets. `size_r`, `size_p`: the negative binomial's; product i of 1… is as popular as
    i^-power · e^(-i/reach)."""

    size_r: float = 1.27
    size_p: float = 0.26
    power: float = 0.35
    reach: float = 50.0
    products: int = PRODUCTS

    def sizes(self) -> list[float]:
        """How probable 1, 2, … MOST_LINES lines are."""
        terms = [
            math.exp(
                math.lgamma(k + self.size_r)
                - math.lgamma(self.size_r)
                - math.lgamma(k + 1)
                + self.size_r * math.log(self.size_p)
                + k * math.log(1 - self.size_p)
            )
            for k in range(1, MOST_LINES + 1)
        ]
        whole = sum(terms)
        return [term / whole for term in terms]

    def popularity(self) -> list[float]:
        """How probable each product is as a line, the most popular first."""
        weights = [rank**-self.power * math.exp(-rank / self.reach) for rank in range(1, self.products + 1)]
        whole = sum(weights)
        return [weight / whole for weight in weights]


def baskets(*, seed: int | str, shape: Shape = Shape()) -> Iterator[tuple[int, ...]]:
    """Baskets without end: the ranks, from 0, of distinct products."""
    draw = random.Random(seed)
    sizes, ranks = list(accumulate(shape.sizes())), range(shape.products)
    popularity = list(accumulate(shape.popularity()))
    lines = range(1, MOST_LINES + 1)
    while True:
        (size,) = draw.choices(lines, cum_weights=sizes)
        chosen: dict[int, None] = {}
        while len(chosen) < min(size, shape.products):
            chosen[draw.choices(ranks, cum_weights=popularity)[0]] = None
        yield tuple(chosen)


@dataclass(frozen=True, slots=True)
class Scenario:
    """How many products a tienda has, and what the carts of a run are: ranks of products, a line each."""

    name: str
    products: int
    what: str

    def carts(self, count: int, *, seed: int | str) -> Sequence[tuple[int, ...]]:
        """So many carts; the same ones for the same seed."""
        draw = random.Random(f"{self.name}/{seed}")
        if self.name == "hot":
            return [(0,)] * count
        if self.name == "flash":
            return [tuple(draw.sample(range(self.products), 3)) for _ in range(count)]
        endless = baskets(seed=f"{self.name}/{seed}")
        return [next(endless) for _ in range(count)]


SCENARIOS = {
    one.name: one
    for one in (
        Scenario("hot", 1, "one product, one line"),
        Scenario("flash", 5, "five products, three lines, in any order"),
        Scenario("basket", PRODUCTS, "as a grocery sells"),
    )
}
