"""load.lua: the balances that a cold start read, whatever was there."""

from uuid import uuid4

import pytest
import redis

from cache_stock import scripts
from cache_stock.scripts import StockRefused
from tests.lua.cold_start_commands import Spoil, load, refused_claim
from tests.lua.stocked import NOW_MS, StockedTienda

MOST_MILLI = 10**14 - 1


def test_writes_a_product_whole_even_an_older_one(tienda: StockedTienda) -> None:
    """After a loss, or after PostgreSQL went back, the newer version is the wrong one."""
    bread = tienda.product(saldo=9000, version=9, catalogo_version=9)
    tienda.held({bread: 1000})
    claim = tienda.claim()

    assert load(tienda, claim, {bread: (5000, 3)})

    assert tienda.stock(bread) == {
        "saldo": "5000",
        "version": "3",
        "reservado": "0",
        "precio": "1050",
        "impuesto": "1600",
        "activo": "1",
        "catalogo_version": "1",
    }
    assert tienda.client.zscore(tienda.loaded, str(bread)) == NOW_MS


def test_the_same_again_changes_nothing(tienda: StockedTienda) -> None:
    claim, balances = tienda.claim(), {uuid4(): (5000, 3), uuid4(): (MOST_MILLI, 10**15)}
    load(tienda, claim, balances)
    before = tienda.dump()

    assert load(tienda, claim, balances)

    assert tienda.dump() == before


def test_nothing_sells_before_the_arming(tienda: StockedTienda) -> None:
    assert load(tienda, tienda.claim(), {uuid4(): (5000, 3)})

    assert not tienda.armed()


@refused_claim
def test_refused_without_a_trace(tienda: StockedTienda, spoil: Spoil) -> None:
    bread = tienda.product(saldo=9000, version=9)
    tienda.held({bread: 1000})
    claim = spoil(tienda, tienda.claim())
    before = tienda.dump()

    assert not load(tienda, claim, {bread: (5000, 10), uuid4(): (1, 1)})

    assert tienda.dump() == before


@pytest.mark.parametrize("count", [0, 6, 8])
def test_a_wrong_number_of_arguments_is_refused(tienda: StockedTienda, count: int) -> None:
    claim = tienda.claim()
    before = tienda.dump()

    with pytest.raises(StockRefused, match="load: seven arguments a product"):
        scripts.load(
            keys=[tienda.meta, tienda.loaded, tienda.stock_key(uuid4())], arguments=[*claim, NOW_MS, *["1"] * count]
        )

    assert tienda.dump() == before


def test_refused_at_the_limit_of_memory(small_redis: "redis.Redis") -> None:
    tienda = StockedTienda(small_redis)
    claim = tienda.claim()
    small_redis.config_set("maxmemory", 1)

    with pytest.raises(StockRefused, match="maxmemory"):
        load(tienda, claim, {uuid4(): (5000, 3)})
