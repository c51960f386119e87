"""`python -m bench.fit FILE`: how well the baskets of bench.baskets fit those of a file, one a line, names parted by
commas."""

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path

from bench.baskets import MOST_LINES, Shape, baskets
from scripts.replay.baskets import UnusableFile, read_file

SEED = 1


@dataclass(frozen=True, slots=True)
class Fit:
    """Of drawn baskets to real ones. `sizes`: the largest distance of the distributions of sizes (Kolmogorov–Smirnov);
    `popularity`: half the sum of the distances of the products' shares, by rank (total variation)."""

    real_mean: float
    drawn_mean: float
    sizes: float
    popularity: float


def compare(real: Sequence[Iterable[object]], drawn: Sequence[Iterable[object]]) -> Fit:
    """Both as lists of baskets, each of distinct products."""
    real_sizes, drawn_sizes = _sizes(real), _sizes(drawn)
    gaps = zip(accumulate(real_sizes), accumulate(drawn_sizes), strict=True)
    shares = zip(_shares(real), _shares(drawn), strict=True)
    return Fit(
        real_mean=sum(number * share for number, share in enumerate(real_sizes)),
        drawn_mean=sum(number * share for number, share in enumerate(drawn_sizes)),
        sizes=max(abs(left - right) for left, right in gaps),
        popularity=sum(abs(left - right) for left, right in shares) / 2,
    )


def _sizes(found: Sequence[Iterable[object]]) -> list[float]:
    """The share of baskets with 0, 1, 2, … lines."""
    counted = Counter(min(len(list(basket)), MOST_LINES) for basket in found)
    return [counted[number] / len(found) for number in range(MOST_LINES + 1)]


def _shares(found: Sequence[Iterable[object]], most: int = 1000) -> list[float]:
    """Each product's share of all lines, the most popular first, filled up with zeros."""
    counted = sorted(Counter(product for basket in found for product in basket).values(), reverse=True)[:most]
    return [count / sum(counted) for count in counted] + [0.0] * (most - len(counted))


def main(arguments: Sequence[str]) -> int:
    if len(arguments) != 1:
        print("python -m bench.fit FILE", file=sys.stderr)
        return 2
    try:
        file = read_file(Path(arguments[0]))
    except UnusableFile as problem:
        print(problem, file=sys.stderr)
        return 1
    real = [[name for name, _units in basket.lines] for basket in file.baskets]
    products = len({name for basket in real for name in basket})
    fit = compare(real, list(islice(baskets(seed=SEED, shape=Shape(products=products)), len(real))))
    print(
        f"{len(real):,} baskets, {products} products. Lines a basket: {fit.real_mean:.2f}, drawn {fit.drawn_mean:.2f}; "
        f"largest distance of the sizes' distributions {fit.sizes:.3f}, of popularity {fit.popularity:.3f}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
