"""flush.lua: balances are forgotten; what protects them is not."""

from uuid import uuid4

import pytest
import redis

from cache_stock import scripts
from cache_stock.scripts import StockRefused
from tests.lua.stocked import NOW_MS, StockedTienda


def test_forgets_the_balance_and_keeps_everything_else(tienda: StockedTienda) -> None:
    bread, milk = tienda.product(saldo=5000, version=7), tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 3000})
    before = tienda.dump()

    assert tienda.flush(bread) == 1

    expected = before | {tienda.loaded: [(str(bread), 0.0), (str(milk), float(NOW_MS))]}
    del expected[tienda.stock_key(bread)]["saldo"]
    assert tienda.dump() == expected
    assert tienda.stock(bread) | {"version": "7", "reservado": "3000"} == tienda.stock(bread)
    assert tienda.holds().keys() == {str(venta_id)}


def test_a_second_time_finds_nothing(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    assert tienda.flush(bread) == 1
    before = tienda.dump()

    assert tienda.flush(bread) == 0

    assert tienda.dump() == before


def test_an_unknown_product_leaves_no_trace(tienda: StockedTienda) -> None:
    before = tienda.dump()

    assert tienda.flush(uuid4()) == 0

    assert tienda.dump() == before


def test_the_hold_is_given_back_and_settled_all_the_same(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    released, settled = tienda.held({bread: 1000}), tienda.held({bread: 2000})
    tienda.flush(bread)

    assert tienda.release(released)
    assert tienda.settle(settled, balances={bread: (3000, 2)}) == (1, True)

    assert tienda.reservado(bread) == [0]
    assert tienda.holds() == {}


def test_a_wrong_number_of_arguments_is_refused(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    before = tienda.dump()

    with pytest.raises(StockRefused, match="flush: one argument a product"):
        scripts.flush(keys=[tienda.loaded, tienda.stock_key(bread)], arguments=[])

    assert tienda.dump() == before


def test_runs_at_the_limit_of_memory(small_redis: "redis.Redis") -> None:
    tienda = StockedTienda(small_redis)
    tienda.arm()
    bread = tienda.product(saldo=5000)
    small_redis.config_set("maxmemory", 1)

    assert tienda.flush(bread) == 1
