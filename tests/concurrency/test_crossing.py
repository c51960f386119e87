"""Carts of the same products in opposite order, thousands of times: nobody waits for anybody, and nothing is lost."""

import random
import threading
from functools import partial
from uuid import UUID

from cache_stock import reservation
from cache_stock.reservation import Hold, LiveHold
from tests.concurrency.together import all_at_once
from tests.lua.stocked import NOW_MS, SWEEP_AFTER_MS, StockedTienda

UNIT = 1000
TILLS = 8
CARTS_A_TILL = 500
START = 10_000 * UNIT


class Ledger:
    """Balances and versions as PostgreSQL keeps them: one transaction at a time."""

    def __init__(self, productos: list[UUID]) -> None:
        self._lock = threading.Lock()
        self.rows = dict.fromkeys(productos, (START, 1))
        self.sold = 0

    def sell(self, cart: dict[UUID, int]) -> dict[UUID, tuple[int, int]]:
        """The balances of this transaction."""
        with self._lock:
            self.sold += 1
            for producto, cantidad in cart.items():
                saldo, version = self.rows[producto]
                self.rows[producto] = (saldo - cantidad, version + 1)
            return {producto: self.rows[producto] for producto in cart}


def sell_many(tienda: StockedTienda, ledger: Ledger, productos: list[UUID], seed: int) -> int:
    """One till: carts that are settled or given back, with warmups between that were read a while ago."""
    draw = random.Random(seed)
    old: dict[UUID, tuple[int, int]] = {}
    for number in range(CARTS_A_TILL):
        cart = dict.fromkeys(productos, draw.randint(1, 2) * UNIT)
        venta_id = tienda.held(cart, most_holds=10_000)
        if number % 3:
            tienda.settle(venta_id, balances=ledger.sell(cart))
        else:
            assert tienda.release(venta_id)
        if number % 10 == 0:
            for producto, (saldo, version) in old.items():
                assert tienda.warm(producto, saldo=saldo, version=version) is not None
            old = dict(ledger.rows)
    return CARTS_A_TILL


def test_opposite_orders_thousands_of_times(tienda: StockedTienda) -> None:
    productos = [tienda.product(saldo=START) for _ in range(4)]
    ledger = Ledger(productos)
    orders = [productos, productos[::-1]] * (TILLS // 2)

    carts = all_at_once([partial(sell_many, tienda, ledger, order, seed) for seed, order in enumerate(orders)])

    assert sum(carts) == 4_000
    assert ledger.sold == TILLS * sum(number % 3 != 0 for number in range(CARTS_A_TILL))
    assert tienda.reservado(*productos) == [0] * 4
    assert tienda.holds() == {}
    for producto, (saldo, version) in ledger.rows.items():
        stock = tienda.stock(producto)
        assert (stock["saldo"], stock["version"]) == (str(saldo), str(version))
    assert tienda.armed()


def test_of_many_sweeps_at_once_one_claims_each_hold(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=START)
    ventas = {tienda.held({bread: UNIT}, most_holds=1_000) for _ in range(300)}

    def sweep() -> list[LiveHold]:
        return reservation.claim_overdue(
            tienda_id=tienda.tienda_id,
            now_ms=NOW_MS + SWEEP_AFTER_MS,
            first_pause_ms=10_000,
            longest_pause_ms=60_000,
            most=300,
        )

    claims = all_at_once([sweep] * TILLS)

    claimed = [hold.venta_id for claim in claims for hold in claim]
    assert len(claimed) == 300
    assert set(claimed) == ventas
    assert tienda.reservado(bread) == [300 * UNIT]


def test_of_many_cold_starts_at_once_one_has_the_claim(tienda: StockedTienda) -> None:
    tienda.disarm()

    claims = all_at_once([partial(tienda.begin, f"token-{number}") for number in range(TILLS)])

    assert sum(claim is not None for claim in claims) == 1


def test_of_many_settlements_of_one_sale_one_drops_the_hold(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=START)
    venta_id, other = tienda.held({bread: UNIT}), tienda.held({bread: UNIT})

    settled = all_at_once([partial(tienda.settle, venta_id, balances={bread: (START - UNIT, 2)})] * TILLS)

    assert sorted(dropped for dropped, _sound in settled) == [0] * (TILLS - 1) + [1]
    assert all(sound for _dropped, sound in settled)
    assert tienda.reservado(bread) == [UNIT]
    assert isinstance(tienda.reserve({bread: UNIT}, venta_id=other), Hold)
