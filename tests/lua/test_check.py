"""check.lua: what can be promised, and in which epoch."""

from uuid import uuid4

import redis

from cache_stock import reservation, scripts
from tests.lua.stocked import StockedTienda


def test_says_the_epoch_and_each_product(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000, version=3, catalogo_version=2)
    flushed = tienda.product(saldo=5000)
    tienda.held({bread: 1500})
    tienda.flush(flushed)
    names = [tienda.meta, *map(tienda.stock_key, (bread, flushed, uuid4()))]

    assert scripts.check(keys=names) == (
        1,
        [["5000", "1500", "3", "2"], ["", "0", "1", "1"], ["", "", "", ""]],
    )


def test_no_epoch_while_not_armed(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    tienda.disarm()

    assert scripts.check(keys=[tienda.meta, tienda.stock_key(bread)]) == (None, [["5000", "0", "1", "1"]])
    assert reservation.available(tienda_id=tienda.tienda_id, productos=[bread]) == {bread: None}


def test_available_is_the_balance_less_what_is_held(tienda: StockedTienda) -> None:
    bread, unknown = tienda.product(saldo=5000), uuid4()
    tienda.held({bread: 1500})

    assert reservation.available(tienda_id=tienda.tienda_id, productos=[bread, unknown]) == {bread: 3500, unknown: None}
    assert reservation.available(tienda_id=tienda.tienda_id, productos=[]) == {}


def test_the_epochs_of_several_tiendas(tienda: StockedTienda) -> None:
    other, never = StockedTienda(tienda.client), uuid4()
    other.arm(epoch=10**15)

    assert reservation.armed_epochs(tiendas=[tienda.tienda_id, other.tienda_id, never]) == {
        tienda.tienda_id: 1,
        other.tienda_id: 10**15,
        never: None,
    }


def test_changes_nothing(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    before = tienda.dump(counters=True)

    scripts.check(keys=[tienda.meta, tienda.stock_key(bread), tienda.stock_key(uuid4())])

    assert tienda.dump(counters=True) == before


def test_runs_at_the_limit_of_memory(small_redis: "redis.Redis") -> None:
    tienda = StockedTienda(small_redis)
    tienda.arm()
    small_redis.config_set("maxmemory", 1)

    assert tienda.armed()
