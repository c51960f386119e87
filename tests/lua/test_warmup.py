"""warmup.lua: what PostgreSQL said of some products, at any moment, however old."""

from typing import Any
from uuid import uuid4

import pytest
import redis

from cache_stock import scripts
from cache_stock.scripts import StockRefused
from tests.lua.stocked import NOW_MS, StockedTienda

MOST_MILLI = 10**14 - 1
MOST_CENTAVOS = 999_999_999_999_99


def test_writes_a_new_product_whole(tienda: StockedTienda) -> None:
    bread = uuid4()

    assert tienda.warm(bread, saldo=1500, version=3, precio=1050, impuesto=800, activo=False, catalogo_version=4) == (
        1,
        0,
    )

    assert tienda.stock(bread) == {
        "saldo": "1500",
        "version": "3",
        "reservado": "0",
        "precio": "1050",
        "impuesto": "800",
        "activo": "0",
        "catalogo_version": "4",
    }
    assert tienda.client.zscore(tienda.loaded, str(bread)) == NOW_MS


def test_never_touches_what_is_held(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    venta_id = tienda.held({bread: 3000})
    hold, holds = tienda.hold(venta_id), tienda.holds()

    tienda.warm(bread, saldo=4000, version=2)

    assert tienda.stock(bread)["saldo"] == "4000"
    assert tienda.reservado(bread) == [3000]
    assert (tienda.hold(venta_id), tienda.holds()) == (hold, holds)


def test_an_older_balance_is_left_out(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000, version=7)
    before = tienda.dump()

    assert tienda.warm(bread, saldo=9999, version=6) == (0, 1)

    assert tienda.dump() == before


def test_the_same_again_changes_nothing(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000, version=7)
    before = tienda.dump()

    assert tienda.warm(bread, saldo=5000, version=7) == (1, 0)

    assert tienda.dump() == before


def test_balance_and_catalogue_guard_themselves_apart(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000, version=5, precio=500, catalogo_version=5)

    tienda.warm(bread, saldo=6000, version=6, precio=400, impuesto=0, activo=False, catalogo_version=4)
    newer_balance = tienda.stock(bread)
    tienda.warm(bread, saldo=4000, version=4, precio=600, impuesto=10, activo=False, catalogo_version=6)

    assert newer_balance | {"saldo": "6000", "version": "6", "precio": "500", "catalogo_version": "5"} == newer_balance
    assert tienda.stock(bread) == {
        "saldo": "6000",
        "version": "6",
        "reservado": "0",
        "precio": "600",
        "impuesto": "10",
        "activo": "0",
        "catalogo_version": "6",
    }


def test_a_flushed_balance_comes_back_only_by_one_that_is_not_older(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000, version=5)
    tienda.flush(bread)

    assert tienda.warm(bread, saldo=9000, version=4) == (0, 1)
    assert "saldo" not in tienda.stock(bread)
    assert tienda.client.zscore(tienda.loaded, str(bread)) == 0
    assert tienda.warm(bread, saldo=5000, version=5) == (1, 0)

    assert tienda.stock(bread)["saldo"] == "5000"
    assert tienda.client.zscore(tienda.loaded, str(bread)) == NOW_MS


def test_notes_when_a_product_was_loaded_and_not_each_warmup(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000, version=5)

    tienda.warm(bread, saldo=5000, version=5, now_ms=NOW_MS + 5)
    tienda.warm(bread, saldo=4000, version=4, now_ms=NOW_MS + 5)

    assert tienda.client.zscore(tienda.loaded, str(bread)) == NOW_MS


@pytest.mark.parametrize(
    "changed",
    [{}, {"saldo": 1}, {"version": 8}, {"precio": 1}, {"impuesto": 1}, {"activo": False}, {"catalogo_version": 3}],
)
def test_writes_only_what_is_not_there_yet(tienda: StockedTienda, changed: dict[str, Any]) -> None:
    there: dict[str, Any] = {"saldo": 5000, "version": 7, "precio": 1050, "impuesto": 1600, "catalogo_version": 2}
    bread = uuid4()
    tienda.warm(bread, **there)
    before = tienda.client.info("persistence")["rdb_changes_since_last_save"]

    tienda.warm(bread, **(there | changed))

    written = tienda.client.info("persistence")["rdb_changes_since_last_save"] - before
    assert (written > 0) == bool(changed)
    for name, value in changed.items():
        assert tienda.stock(bread)[name] == str(int(value))


def test_refuses_while_not_armed(tienda: StockedTienda) -> None:
    bread = tienda.product(saldo=5000)
    tienda.disarm()
    before = tienda.dump()

    assert tienda.warm(bread, saldo=6000, version=2) is None
    assert tienda.warm(uuid4(), saldo=6000, version=2) is None

    assert tienda.dump() == before


@pytest.mark.parametrize("flushed", [True, False])
def test_a_loaded_product_that_is_missing_disarms(tienda: StockedTienda, flushed: bool) -> None:
    """Its holds are gone with it: a hash made anew would promise them a second time."""
    bread, lost = tienda.product(saldo=5000), tienda.product(saldo=5000)
    tienda.held({bread: 1000, lost: 5000})
    if flushed:
        tienda.flush(lost)
    tienda.lose(lost)
    before = tienda.stock(bread)
    rows: list[str | int] = [x for producto in (bread, lost) for x in (str(producto), 6000, 2, 1050, 1600, 1, 1)]

    assert (
        scripts.warmup(
            keys=[tienda.meta, tienda.loaded, tienda.stock_key(bread), tienda.stock_key(lost)],
            arguments=[NOW_MS, *rows],
        )
        is None
    )

    assert not tienda.armed()
    assert tienda.stock(bread) == before
    assert tienda.stock(lost) == {}


def test_many_products_in_one_call_count_what_was_stale(tienda: StockedTienda) -> None:
    productos = [tienda.product(saldo=1000, version=2) for _ in range(4)] + [uuid4()]
    rows: list[str | int] = []
    for producto, version in zip(productos, (1, 2, 3, 1, 1), strict=True):
        rows += [str(producto), 2000, version, 1, 0, 1, 1]

    counts = scripts.warmup(
        keys=[tienda.meta, tienda.loaded, *map(tienda.stock_key, productos)], arguments=[NOW_MS, *rows]
    )

    assert counts == (3, 2)
    assert [tienda.stock(p)["saldo"] for p in productos] == ["1000", "2000", "2000", "1000", "2000"]


def test_the_largest_numbers_are_exact(tienda: StockedTienda) -> None:
    ring = tienda.product(saldo=MOST_MILLI, version=10**15, precio=MOST_CENTAVOS, catalogo_version=10**15)

    assert tienda.warm(ring, saldo=1, version=10**15 - 1, precio=1, catalogo_version=10**15 - 1) == (0, 1)

    assert tienda.stock(ring)["saldo"] == str(MOST_MILLI)
    assert tienda.stock(ring)["precio"] == str(MOST_CENTAVOS)


def test_nothing_expires(tienda: StockedTienda) -> None:
    tienda.product(saldo=5000)

    assert {tienda.client.ttl(key) for key in tienda.dump()} == {-1}


@pytest.mark.parametrize("count", [0, 6, 8, 14])
def test_a_wrong_number_of_arguments_is_refused(tienda: StockedTienda, count: int) -> None:
    before = tienda.dump()

    with pytest.raises(StockRefused, match="warmup: seven arguments a product"):
        scripts.warmup(keys=[tienda.meta, tienda.loaded, tienda.stock_key(uuid4())], arguments=[NOW_MS, *["1"] * count])

    assert tienda.dump() == before


def test_refused_at_the_limit_of_memory(small_redis: "redis.Redis") -> None:
    tienda = StockedTienda(small_redis)
    tienda.arm()
    small_redis.config_set("maxmemory", 1)
    before = tienda.dump()

    with pytest.raises(StockRefused, match="maxmemory"):
        tienda.warm(uuid4(), saldo=1000)

    assert tienda.dump() == before
