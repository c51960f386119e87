"""release.lua: a hold is given back by the request that made it, while nobody else may have published it."""

from uuid import uuid4

import pytest
import redis

from cache_stock import scripts
from cache_stock.scripts import StockRefused
from tests.lua.stocked import NOW_MS, SWEEP_AFTER_MS, StockedTienda


def test_gives_everything_back(tienda: StockedTienda) -> None:
    bread, milk = tienda.product(saldo=5000), tienda.product(saldo=5000)
    other = tienda.held({bread: 500})
    before = tienda.dump()
    venta_id = tienda.held({bread: 1500, milk: 5000})

    assert tienda.release(venta_id)

    assert tienda.dump() == before
    assert list(tienda.holds()) == [str(other)]


def test_a_second_time_finds_nothing(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1500})
    assert tienda.release(venta_id)
    before = tienda.dump()

    assert not tienda.release(venta_id)
    assert not tienda.release(uuid4())

    assert tienda.dump() == before


def test_refuses_somebody_elses_hold_of_the_same_sale(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1500}, nonce="first")
    assert tienda.release(venta_id, nonce="first")
    tienda.held({bread: 1500})
    tienda.reserve({bread: 1500}, venta_id=venta_id, nonce="second")
    before = tienda.dump()

    assert not tienda.release(venta_id, nonce="first")

    assert tienda.dump() == before


def test_refuses_once_another_request_may_have_published_it(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1500})
    tienda.reserve({bread: 1500}, venta_id=venta_id, nonce="double click")
    before = tienda.dump()

    assert not tienda.release(venta_id)
    assert not tienda.release(venta_id, nonce="double click")

    assert tienda.dump() == before


def test_refuses_once_a_sweep_may_have_published_it(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1500})
    claimed = scripts.sweep(
        keys=[tienda.meta, tienda.journal, tienda.hold_key(venta_id)],
        arguments=[NOW_MS + SWEEP_AFTER_MS, 1, 1, str(venta_id)],
    )
    before = tienda.dump()

    assert claimed
    assert not tienda.release(venta_id)
    assert tienda.dump() == before


def test_refuses_while_not_armed(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1500})
    tienda.disarm()
    before = tienda.dump()

    assert not tienda.release(venta_id)

    assert tienda.dump() == before


def test_a_missing_product_disarms_and_gives_nothing_back(tienda: StockedTienda) -> None:
    bread, lost = tienda.product(saldo=5000), tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1500, lost: 1000})
    tienda.lose(lost)
    before = tienda.dump()

    assert not tienda.release(venta_id)

    assert not tienda.armed()
    before.pop(tienda.meta)
    after = tienda.dump()
    after.pop(tienda.meta)
    assert after == before


def test_more_held_than_reserved_disarms(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1500})
    tienda.client.hset(tienda.stock_key(bread), "reservado", 1499)

    assert not tienda.release(venta_id)

    assert not tienda.armed()
    assert tienda.reservado(bread) == [1499]


@pytest.mark.parametrize(("names", "arguments"), [(2, 3), (4, 3), (3, 2), (3, 4)])
def test_a_wrong_number_of_arguments_is_refused(tienda: StockedTienda, names: int, arguments: int) -> None:
    with pytest.raises(StockRefused, match="release: three keys, three arguments"):
        scripts.release(keys=[tienda.meta] * names, arguments=["x"] * arguments)


def test_runs_at_the_limit_of_memory(small_redis: "redis.Redis") -> None:
    tienda = StockedTienda(small_redis)
    tienda.arm()
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 1500})
    small_redis.config_set("maxmemory", 1)

    assert tienda.release(venta_id)
    assert tienda.reservado(bread) == [0]
