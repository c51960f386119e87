"""Warmup: exact, in pieces, at any moment; and what it refuses."""

import threading
import time
import tracemalloc
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from blend_pos.tiendas.models import Tienda
from cache_stock import arming, carrying, keys, reservation, rows, scripts, warmup
from cache_stock.rows import Row
from inventario.catalogo import ProductChange, change_product
from inventario.models import Producto
from tests.cache_stock.store import Store, now_ms


def test_a_tienda_never_armed_is_armed_and_its_numbers_are_exact(store: Store) -> None:
    weighed = store.product(stock="99999999999.999", precio="999999999999.99", impuesto=Decimal("8.25"), unidad="KG")
    cheap = store.product(stock="0.001", precio="0.07", impuesto=Decimal(0))

    report = store.warm()

    assert (report.productos_cacheados, report.products, report.armed_now) == (2, 2, True)
    assert (store.armed(), store.epoch()) == (True, 1)
    assert store.in_redis(weighed) == {
        "saldo": "99999999999999",
        "version": "1",
        "reservado": "0",
        "precio": "99999999999999",
        "impuesto": "825",
        "activo": "1",
        "catalogo_version": "1",
    }
    assert (store.in_redis(cheap)["saldo"], store.in_redis(cheap)["precio"]) == ("1", "7")
    assert store.hold({weighed: 99_999_999_999_999}).products[0].precio_centavos == 99_999_999_999_999


def test_inactive_products_are_loaded_and_not_counted(store: Store) -> None:
    store.product()
    hidden = store.product(is_active=False)
    assert store.warm().productos_cacheados == 1
    report = store.warm()
    assert (report.productos_cacheados, report.products) == (1, 2)
    assert store.in_redis(hidden)["activo"] == "0"


def test_it_goes_a_page_at_a_time_and_says_how_far_it_is(store: Store) -> None:
    products = store.products(2 * rows.PRODUCTS_A_CALL + 3)
    steps: list[int] = []
    store.warm()
    report = warmup.warm_tienda(tienda_id=store.tienda_id, now_ms=now_ms(), progress=steps.append)
    assert steps == [rows.PRODUCTS_A_CALL, rows.PRODUCTS_A_CALL, 3]
    assert report.products == len(products)
    assert all(store.in_redis(producto)["saldo"] == "10000" for producto in products[::97])


@pytest.fixture
def rests(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it has rested, each time."""
    rested: list[float] = []
    monkeypatch.setattr(time, "sleep", rested.append)
    return rested


@pytest.mark.parametrize("call_s", [0.02, 0.1])
def test_it_rests_as_long_as_a_call_took_and_no_longer_than_it_should(
    store: Store, rests: list[float], monkeypatch: pytest.MonkeyPatch, call_s: float
) -> None:
    store.products(2 * rows.PRODUCTS_A_CALL)
    store.warm()
    assert rests == []  # it was armed: nobody could sell yet
    work, clock = scripts.warmup, [0.0]

    def timed(*, keys: list[str], arguments: list[str | int]) -> tuple[int, int] | None:
        clock[0] += call_s
        return work(keys=keys, arguments=arguments)

    monkeypatch.setattr(scripts, "warmup", timed)
    monkeypatch.setattr(carrying, "time", SimpleNamespace(monotonic=lambda: clock[0], sleep=rests.append))
    store.warm()
    assert rests == pytest.approx([min(call_s, carrying.MOST_REST_S)] * 2)


def test_it_does_not_rest_while_nobody_can_sell(store: Store, rests: list[float]) -> None:
    store.product()
    store.warm()
    warmup.flush_tienda(tienda_id=store.tienda_id)
    store.warm()
    warmup.warm_tienda(tienda_id=store.tienda_id, now_ms=now_ms(), hurry=True)
    assert rests == []
    store.warm()
    assert len(rests) == 1


def test_a_whole_number_of_pages_ends(store: Store) -> None:
    store.products(rows.PRODUCTS_A_CALL)
    store.warm()
    assert store.warm().products == rows.PRODUCTS_A_CALL


def test_holds_are_not_touched(store: Store) -> None:
    producto = store.product(stock="10")
    store.warm()
    store.hold({producto: 4000})
    store.warm()
    assert (store.in_redis(producto)["reservado"], store.available(producto)) == ("4000", 6000)
    assert len(store.journal()) == 1


def test_what_was_read_before_a_sale_was_settled_does_no_harm(store: Store) -> None:
    producto = store.product(stock="10")
    store.warm()
    stale = next(rows.pages(tienda_id=store.tienda_id))
    sale = uuid4()
    store.hold({producto: 3000}, venta_id=sale)
    reservation.settle(
        tienda_id=store.tienda_id,
        sales=[reservation.SettledSale(sale, "a" * 64)],
        balances=[reservation.Balance(producto, 7000, 2)],
        answer_ttl_s=60,
    )

    carried = carrying.carry_rows(tienda_id=store.tienda_id, rows=stale, now_ms=now_ms())

    assert (carried.stale, store.available(producto)) == (1, 7000)


def test_an_old_price_does_not_come_back(store: Store) -> None:
    producto = store.product(precio="10.00")
    store.warm()
    stale = next(rows.pages(tienda_id=store.tienda_id))
    change_product(producto_id=producto, change=ProductChange(precio=Decimal("12.00")))
    store.warm()
    carrying.carry_rows(tienda_id=store.tienda_id, rows=stale, now_ms=now_ms())
    assert (store.in_redis(producto)["precio"], store.in_redis(producto)["catalogo_version"]) == ("1200", "2")


def test_warmups_among_reservations_lose_none_of_them(store: Store) -> None:
    producto = store.product(stock="200")
    store.warm()
    held: list[int] = []

    def sell() -> None:
        for _number in range(50):
            store.hold({producto: 1000})
            held.append(1)

    sellers = [threading.Thread(target=sell) for _ in range(4)]
    for seller in sellers:
        seller.start()
    warmups = 0
    while any(seller.is_alive() for seller in sellers):
        store.warm()
        warmups += 1
    for seller in sellers:
        seller.join()

    assert warmups > 0
    assert len(held) == 200
    assert (store.in_redis(producto)["reservado"], store.available(producto)) == ("200000", 0)
    with pytest.raises(reservation.Insufficient):
        store.hold({producto: 1})


def test_a_tienda_that_is_no_longer_armed_waits_for_its_cold_start(store: Store) -> None:
    producto = store.product()
    store.warm()
    before = store.in_redis(producto)
    store.disarm()
    with pytest.raises(warmup.ColdStartNeeded):
        store.warm()
    assert (store.armed(), store.epoch(), store.in_redis(producto)) == (False, 1, before)


def test_a_tienda_without_products_waits_for_it_too(store: Store) -> None:
    store.warm()
    assert store.warm().products == 0
    store.disarm()
    with pytest.raises(warmup.ColdStartNeeded):
        store.warm()


def claim_new(store: Store) -> arming.Claim:
    """As beat's cold start does, which sees a new tienda as soon as it is committed."""
    claimed = arming.claim(tienda_id=store.tienda_id, token=arming.NEW + "x", now_ms=now_ms(), lease_ms=60_000)
    assert claimed is not None
    return claimed


def warm_patiently(store: Store, patience_s: float) -> warmup.WarmReport:
    return warmup.warm_tienda(tienda_id=store.tienda_id, now_ms=now_ms(), patience_s=patience_s)


def test_a_new_tienda_that_another_arms_just_now_is_waited_for(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    producto, claimed = store.product(), claim_new(store)
    looked: list[bool] = []
    look = arming.first_is_under_way

    def armed_meanwhile(*, tienda_id: UUID) -> bool:
        looked.append(look(tienda_id=tienda_id))
        if looked == [True]:
            assert arming.load_and_arm(claim=claimed, seen_epoch=0, now_ms=now_ms())
        return looked[-1]

    monkeypatch.setattr(arming, "first_is_under_way", armed_meanwhile)
    report = warm_patiently(store, 5)
    assert (report.products, report.armed_now, looked) == (1, False, [True, False])
    assert store.available(producto) == 10_000


def test_where_the_other_dies_it_is_armed_all_the_same(store: Store) -> None:
    producto = store.product()
    assert arming.claim(tienda_id=store.tienda_id, token=arming.NEW + "x", now_ms=now_ms(), lease_ms=300)
    assert warm_patiently(store, 5).armed_now
    assert store.available(producto) == 10_000


def test_it_is_not_waited_for_any_longer_than_was_asked(store: Store) -> None:
    store.product()
    claim_new(store)
    started = time.monotonic()
    with pytest.raises(warmup.ColdStartNeeded):
        warm_patiently(store, 0.2)
    assert 0.2 <= time.monotonic() - started < 2


def test_a_cold_start_that_drains_first_is_not_waited_for(store: Store) -> None:
    store.product()
    store.warm()
    store.disarm()
    assert arming.claim(tienda_id=store.tienda_id, token="another", now_ms=now_ms(), lease_ms=60_000)
    started = time.monotonic()
    with pytest.raises(warmup.ColdStartNeeded):
        warm_patiently(store, 30)
    assert time.monotonic() - started < 10


def test_who_has_no_patience_is_told_so_and_one_that_was_just_armed_is_warmed(store: Store) -> None:
    producto = store.product()
    claim_new(store)
    with pytest.raises(warmup.ColdStartNeeded):
        store.warm()
    scripts.stock_client().delete(keys.meta(store.tienda_id))
    store.warm()
    Tienda.objects.filter(pk=store.tienda_id).update(epoch=0)  # as it was read a moment before
    assert not store.warm().armed_now
    assert store.available(producto) == 10_000


def test_a_stock_hash_that_vanished_disarms(store: Store) -> None:
    producto = store.product()
    store.warm()
    scripts.stock_client().delete(keys.stock(store.tienda_id, producto))
    with pytest.raises(warmup.ColdStartNeeded):
        store.warm()
    assert not store.armed()


def test_unknown_tienda(live_db: None) -> None:
    with pytest.raises(warmup.UnknownTienda):
        warmup.warm_tienda(tienda_id=uuid4(), now_ms=now_ms())


def test_nothing_uncommitted_is_carried(store: Store) -> None:
    producto = store.product()
    store.warm()
    with transaction.atomic():
        Producto.objects.filter(pk=producto).update(stock_actual=99)
        with pytest.raises(rows.InsideTransaction):
            store.warm()
        with pytest.raises(rows.InsideTransaction):
            warmup.warm_products(productos=[producto], now_ms=now_ms())
        transaction.set_rollback(True)
    assert store.available(producto) == 10_000


def test_its_time_is_noted_and_a_flush_forgets_it(store: Store) -> None:
    store.product()
    assert store.warmed_at() is None
    store.warm()
    armed_at = store.warmed_at()
    assert armed_at is not None
    store.warm()
    again = store.warmed_at()
    assert again is not None
    assert again > armed_at
    warmup.flush_tienda(tienda_id=store.tienda_id)
    assert store.warmed_at() is None


def test_flush_forgets_every_balance_and_no_hold(store: Store) -> None:
    products = store.products(rows.PRODUCTS_A_CALL + 2)
    store.warm()
    store.hold({products[0]: 4000})

    assert warmup.flush_tienda(tienda_id=store.tienda_id) == len(products)
    with pytest.raises(reservation.NotCached):
        store.hold({products[0]: 1000})
    assert warmup.flush_tienda(tienda_id=store.tienda_id) == 0

    store.warm()
    assert (store.available(products[0]), store.available(products[-1])) == (6000, 10_000)


def test_some_products_of_two_tiendas(store: Store) -> None:
    other = Store()
    mine, others = store.product(), other.product()
    store.warm()
    other.warm()
    Producto.objects.filter(pk__in=[mine, others]).update(precio=3, catalogo_version=2)
    assert warmup.warm_products(productos=[mine, others, uuid4()], now_ms=now_ms()) == 2
    assert store.in_redis(mine)["precio"] == other.in_redis(others)["precio"] == "300"


def test_products_of_a_tienda_never_armed_wait_for_it(store: Store) -> None:
    producto = store.product()
    assert warmup.warm_products(productos=[producto], now_ms=now_ms()) == 0
    assert store.in_redis(producto) == {}


def test_a_page_is_a_statement_of_its_own(store: Store) -> None:
    store.products(rows.PRODUCTS_A_PAGE + 1)
    first: list[Row] = next(rows.pages(tienda_id=store.tienda_id))
    assert len(first) == rows.PRODUCTS_A_PAGE
    assert not connection.in_atomic_block
    assert [row.producto for row in first] == sorted(row.producto for row in first)


def peak_bytes(action: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        action()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_catalogue(store: Store) -> None:
    small = Store()
    small.products(rows.PRODUCTS_A_PAGE)
    store.products(6 * rows.PRODUCTS_A_PAGE)
    small.warm()
    store.warm()
    few, many = peak_bytes(small.warm), peak_bytes(store.warm)
    assert many < 1.2 * few


def test_a_snapshot_is_packed(store: Store) -> None:
    store.products(6 * rows.PRODUCTS_A_CALL)

    def read() -> None:
        with transaction.atomic():
            snapshot = rows.Snapshot.read(tienda_id=store.tienda_id)
        assert sum(len(page) for page in snapshot.pages()) == len(snapshot) == 6 * rows.PRODUCTS_A_CALL

    page_bytes = peak_bytes(lambda: next(rows.pages(tienda_id=store.tienda_id)))
    assert peak_bytes(read) - page_bytes < 150 * 6 * rows.PRODUCTS_A_CALL


def test_a_page_is_read_by_its_index(store: Store) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        cursor.execute("EXPLAIN " + rows.PAGE, [store.tienda_id, str(rows.LOWEST_ID), None, None])
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "idx_productos_tienda_id" in plan
    assert "Sort" not in plan
