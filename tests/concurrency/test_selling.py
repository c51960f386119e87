"""A hundred tills and forty units: exactly forty are sold, each race first shown without the script."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from uuid import UUID, uuid4

import pytest

from cache_stock import reservation
from cache_stock.reservation import Hold
from tests.concurrency.together import MOST_THREADS, PATIENCE_S, all_at_once
from tests.lua.stocked import StockedTienda

UNIT = 1000
UNITS = 40


class Unguarded:
    """Stock as plain numbers in Redis, sold by who looks first and takes then; everybody looks before anybody takes."""

    def __init__(self, tienda: StockedTienda, productos: list[UUID]) -> None:
        self._client = tienda.client
        self._keys = {producto: f"{{{tienda.tienda_id}}}:{producto}" for producto in productos}
        self._all_looked = threading.Barrier(MOST_THREADS)
        for key in self._keys.values():
            self._client.set(key, UNITS)

    def sell(self, cart: list[UUID]) -> bool:
        """Whether this till believes that it sold one of each."""
        enough = all(int(self._client.get(self._keys[producto]) or 0) > 0 for producto in cart)
        self._all_looked.wait(PATIENCE_S)
        for producto in cart if enough else []:
            self._client.decr(self._keys[producto])
        return enough

    def left(self) -> list[int]:
        return [int(self._client.get(key) or 0) for key in self._keys.values()]


def outcome(tienda: StockedTienda, wanted: Mapping[UUID, int]) -> str:
    """Ask for a cart of its own sale."""
    try:
        return "held" if isinstance(tienda.reserve(wanted, most_holds=10_000), Hold) else "?"
    except reservation.Insufficient:
        return "short"


def test_without_the_script_one_product_is_oversold(tienda: StockedTienda) -> None:
    bread = uuid4()
    stock = Unguarded(tienda, [bread])

    sold = all_at_once([partial(stock.sell, [bread])] * MOST_THREADS)

    assert sum(sold) == 100
    assert stock.left() == [-60]


def test_one_product_is_sold_exactly(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=UNITS * UNIT)

    outcomes = all_at_once([partial(outcome, tienda, {bread: UNIT})] * MOST_THREADS)

    assert Counter(outcomes) == {"held": 40, "short": 60}
    assert tienda.reservado(bread) == [UNITS * UNIT]
    assert len(tienda.holds()) == 40
    assert outcome(tienda, {bread: 1}) == "short"


def test_without_the_script_carts_are_oversold(tienda: StockedTienda) -> None:
    productos = [uuid4() for _ in range(3)]
    stock = Unguarded(tienda, productos)

    sold = all_at_once(
        [partial(stock.sell, productos if till % 2 else productos[::-1]) for till in range(MOST_THREADS)]
    )

    assert sum(sold) == 100
    assert stock.left() == [-60, -60, -60]


def test_carts_of_several_products_are_sold_exactly(tienda: StockedTienda) -> None:
    productos = [tienda.product(saldo=UNITS * UNIT) for _ in range(3)]
    carts = [dict.fromkeys(random.Random(till).sample(productos, 3), UNIT) for till in range(MOST_THREADS)]

    outcomes = all_at_once([partial(outcome, tienda, cart) for cart in carts])

    assert Counter(outcomes) == {"held": 40, "short": 60}
    assert tienda.reservado(*productos) == [UNITS * UNIT] * 3
    assert len(tienda.holds()) == 40


@pytest.mark.parametrize("seed", range(3))
def test_carts_that_overlap_hold_all_or_nothing(tienda: StockedTienda, seed: int) -> None:
    """Each product belongs to many different carts; no refused one left a line behind."""
    draw = random.Random(seed)
    productos = [tienda.product(saldo=UNITS * UNIT) for _ in range(5)]
    carts = [
        {producto: draw.randint(1, 3) * UNIT // 2 for producto in draw.sample(productos, draw.randint(1, 4))}
        for _ in range(MOST_THREADS)
    ]

    outcomes = all_at_once([partial(outcome, tienda, cart) for cart in carts])

    held = Counter[UUID]()
    for cart, what in zip(carts, outcomes, strict=True):
        held.update(cart if what == "held" else {})
    assert tienda.reservado(*productos) == [held[producto] for producto in productos]
    assert len(tienda.holds()) == outcomes.count("held") < MOST_THREADS
    assert max(held.values()) <= UNITS * UNIT
    for cart, what in zip(carts, outcomes, strict=True):
        if what == "short":  # nothing was given back meanwhile, so it is short still
            assert outcome(tienda, cart) == "short"


def test_the_same_sale_from_every_till_is_held_once(tienda: StockedTienda) -> None:
    bread, venta_id = tienda.product(saldo=UNITS * UNIT), uuid4()

    holds = all_at_once([partial(tienda.reserve, {bread: UNIT}, venta_id=venta_id)] * MOST_THREADS)

    assert sum(isinstance(hold, Hold) and hold.created for hold in holds) == 1
    assert tienda.reservado(bread) == [UNIT]
    assert tienda.hold(venta_id)["intentos"] == str(MOST_THREADS)


def test_a_release_against_a_double_click_never_takes_a_published_hold(tienda: StockedTienda) -> None:
    """Of who gives back and who asks again, one is first; the hold is there exactly where the second request has it."""
    bread = tienda.product(saldo=10**9)
    for _ in range(200):
        venta_id = tienda.held({bread: UNIT}, nonce="first", most_holds=1_000)
        tasks: list[Callable[[], object]] = [
            partial(tienda.release, venta_id, nonce="first"),
            partial(tienda.reserve, {bread: UNIT}, venta_id=venta_id, nonce="second", most_holds=1_000),
        ]
        released, again = all_at_once(tasks)
        assert isinstance(again, Hold)
        assert again.created is released
        assert tienda.hold(venta_id)["nonce"] == ("second" if released else "first")
    assert tienda.reservado(bread) == [200 * UNIT]
