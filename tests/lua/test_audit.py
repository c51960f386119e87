"""audit.lua: what the holds of the whole journal add up to, beside what the products say."""

from uuid import UUID, uuid4

import redis

from cache_stock import keys, scripts
from tests.lua.stocked import StockedTienda


def audit(tienda: StockedTienda, *productos: UUID) -> tuple[int | None, list[str], list[tuple[int | None, int]]]:
    names = [tienda.meta, tienda.journal, *map(tienda.stock_key, productos)]
    return scripts.audit(keys=names, arguments=[keys.hold_prefix(tienda.tienda_id), *map(str, productos)])


def test_adds_up_every_hold(tienda: StockedTienda) -> None:
    bread, milk, unsold = (tienda.product(saldo=9000) for _number in range(3))
    unknown = uuid4()
    tienda.held({bread: 1500, milk: 1000})
    tienda.held({bread: 2000})

    assert audit(tienda, bread, milk, unsold, unknown) == (1, [], [(3500, 3500), (1000, 1000), (0, 0), (None, 0)])


def test_shows_what_does_not_add_up(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=9000)
    lost, kept = tienda.held({bread: 1500}), tienda.held({bread: 2000})
    tienda.client.delete(tienda.hold_key(lost))

    assert audit(tienda, bread) == (1, [str(lost)], [(3500, 2000)])
    assert str(kept) in tienda.holds()


def test_sums_beyond_what_an_exponent_would_write(tienda: StockedTienda) -> None:
    gold = tienda.product(saldo=2 * 10**14)
    tienda.held({gold: 10**14})
    tienda.held({gold: 10**14 - 1})

    assert audit(tienda, gold) == (1, [], [(2 * 10**14 - 1, 2 * 10**14 - 1)])


def test_no_epoch_while_not_armed(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=9000)
    tienda.disarm()

    assert audit(tienda, bread) == (None, [], [(0, 0)])


def test_changes_nothing_and_runs_at_the_limit_of_memory(small_redis: "redis.Redis") -> None:
    tienda = StockedTienda(small_redis)
    tienda.arm()
    bread = tienda.product(saldo=9000)
    tienda.held({bread: 1500})
    before = tienda.dump(counters=True)
    small_redis.config_set("maxmemory", 1)

    assert audit(tienda, bread) == (1, [], [(1500, 1500)])
    small_redis.config_set("maxmemory", 0)
    assert tienda.dump(counters=True) == before
