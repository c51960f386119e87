"""fail.lua: the hold of a failed sale stays, and is left alone."""

import math
from uuid import UUID, uuid4

import pytest
import redis

from cache_stock import reservation, scripts
from cache_stock.reservation import Hold
from cache_stock.scripts import StockRefused
from tests.lua.stocked import HUELLA, OTHER_HUELLA, StockedTienda


def keep_failed(tienda: StockedTienda, venta_id: UUID, huella: str = HUELLA) -> bool:
    return reservation.keep_failed(tienda_id=tienda.tienda_id, venta_id=venta_id, huella=huella)


def test_only_takes_it_from_the_sweep(tienda: StockedTienda) -> None:
    venta_id = tienda.held({tienda.product(saldo=5000): 1500})
    before = tienda.dump()

    assert keep_failed(tienda, venta_id)
    assert keep_failed(tienda, venta_id)  # idempotent

    assert tienda.dump() == before | {tienda.journal: [(str(venta_id), math.inf)]}


def test_where_there_is_no_such_hold_it_leaves_no_trace(tienda: StockedTienda) -> None:
    venta_id = tienda.held({tienda.product(saldo=5000): 1500})
    before = tienda.dump()

    assert not keep_failed(tienda, uuid4())
    assert not keep_failed(tienda, venta_id, OTHER_HUELLA)

    assert tienda.dump() == before


def test_it_can_be_published_again_and_settled(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1500})
    keep_failed(tienda, venta_id)

    again = tienda.reserve({bread: 1500}, venta_id=venta_id)

    assert isinstance(again, Hold)
    assert not again.created
    assert not tienda.release(venta_id)
    assert tienda.settle(venta_id, balances={bread: (3500, 2)}) == (1, True)
    assert tienda.reservado(bread) == [0]
    assert tienda.holds() == {}


@pytest.mark.parametrize(("names", "arguments"), [(1, 2), (3, 2), (2, 1), (2, 3)])
def test_a_wrong_number_of_arguments_is_refused(tienda: StockedTienda, names: int, arguments: int) -> None:
    with pytest.raises(StockRefused, match="fail: two keys, two arguments"):
        scripts.fail(keys=[tienda.meta] * names, arguments=["x"] * arguments)


def test_runs_at_the_limit_of_memory(small_redis: "redis.Redis") -> None:
    tienda = StockedTienda(small_redis)
    tienda.arm()
    venta_id = tienda.held({tienda.product(saldo=5000): 1500})
    small_redis.config_set("maxmemory", 1)

    assert keep_failed(tienda, venta_id)
