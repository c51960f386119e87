"""The baskets that the bench draws: what they are fitted to, and that the same seed draws the same."""

from collections import Counter
from itertools import islice
from pathlib import Path
from statistics import mean

import pytest

from bench import fit
from bench.baskets import MOST_LINES, SCENARIOS, Shape, baskets

DRAWN = 20_000


def test_the_sizes_are_a_distribution_with_the_mean_of_the_real_ones() -> None:
    """4.41 lines a basket: 43,367 lines in 9,835 baskets."""
    sizes = Shape().sizes()
    assert sum(sizes) == pytest.approx(1)
    assert sum(size * share for size, share in enumerate(sizes, start=1)) == pytest.approx(43_367 / 9_835, rel=0.02)


def test_what_is_drawn_follows_both_distributions() -> None:
    shape = Shape()
    drawn = list(islice(baskets(seed="test"), DRAWN))
    sizes = Counter(len(basket) for basket in drawn)
    for size, share in enumerate(shape.sizes()[:10], start=1):
        assert sizes[size] / DRAWN == pytest.approx(share, abs=0.01)
    lines = Counter(rank for basket in drawn for rank in basket)
    assert lines[0] > lines[20] > lines[100] > 0


def test_a_basket_names_each_product_once() -> None:
    for basket in islice(baskets(seed=1), 2_000):
        assert 1 <= len(basket) <= MOST_LINES
        assert len(set(basket)) == len(basket)
        assert all(0 <= rank < Shape().products for rank in basket)


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_same_seed_draws_the_same_carts(name: str) -> None:
    scenario = SCENARIOS[name]
    assert scenario.carts(50, seed=1) == scenario.carts(50, seed=1)
    if name != "hot":
        assert scenario.carts(50, seed=1) != scenario.carts(50, seed=2)
    assert max(rank for cart in scenario.carts(50, seed=1) for rank in cart) < scenario.products


def test_a_fit_of_the_same_baskets_is_perfect_and_of_others_is_not() -> None:
    drawn = list(islice(baskets(seed=1), 2_000))
    assert fit.compare(drawn, drawn).sizes == fit.compare(drawn, drawn).popularity == 0
    lone = [(0,)] * 2_000
    found = fit.compare(lone, drawn)
    assert found.real_mean == 1
    assert found.drawn_mean == pytest.approx(mean(map(len, drawn)))
    assert found.sizes > 0.5
    assert found.popularity > 0.5


def test_the_command_says_how_well_it_fits(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "baskets.csv"
    file.write_text("pan,leche\npan\nleche,queso,pan\n")
    assert fit.main([str(file)]) == 0
    assert "3 baskets, 3 products. Lines a basket: 2.00" in capsys.readouterr().out


def test_the_command_says_what_is_wrong_with_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert fit.main([str(tmp_path / "none.csv")]) == 1
    assert "none.csv" in capsys.readouterr().err
    assert fit.main([]) == 2
