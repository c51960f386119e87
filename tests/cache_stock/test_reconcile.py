"""What differs is found and named, what is on its way is not; and what repairs it."""

import threading
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction

from cache_stock import figures, intake, journal, keys, reconcile, reservation, scripts, warmup
from cache_stock.reconcile import Difference
from inventario import ledger
from inventario.models import TipoMovimiento
from tests.cache_stock.store import HUELLA, Store, now_ms
from tests.polling import wait_until

MOVES, DOUBTS = 50, 10


@pytest.fixture
def stocked(store: Store) -> Store:
    """Armed and warm, with three products."""
    store.products(3)
    store.warm()
    return store


def compared(store: Store) -> reconcile.Report:
    return reconcile.confirm(seen=reconcile.look(tienda_id=store.tienda_id))


def found(store: Store) -> list[tuple[Difference, object]]:
    return sorted((finding.what, finding.producto_id) for finding in compared(store).findings)


def spoil(store: Store, producto: object, **fields: object) -> None:
    name = f"{keys.stock_prefix(store.tienda_id)}{producto}"
    scripts.stock_client().hset(name, mapping={field: str(value) for field, value in fields.items()})


def mend(store: Store) -> list[str]:
    return reconcile.repair(report=compared(store), now_ms=now_ms())


def test_all_agree(stocked: Store) -> None:
    report = compared(stocked)
    assert (report.armed, report.products, report.flushed, report.findings) == (True, 3, 0, [])
    assert not reconcile.look(tienda_id=stocked.tienda_id).in_doubt
    assert reconcile.repair(report=report, now_ms=now_ms()) == []


def test_holds_and_flushed_balances_are_no_difference(stocked: Store) -> None:
    producto = stocked.product()
    stocked.warm()
    stocked.hold({producto: 1500})
    stocked.hold({producto: 250})
    assert found(stocked) == []
    warmup.flush_tienda(tienda_id=stocked.tienda_id)
    report = compared(stocked)
    assert (report.findings, report.flushed) == ([], 4)


@pytest.mark.parametrize(
    ("fields", "what"),
    [
        ({"saldo": 9_999}, Difference.SALDO),
        ({"saldo": 9_000, "version": 0}, Difference.BEHIND),
        ({"precio": 1}, Difference.CATALOGUE),
        ({"catalogo_version": 0}, Difference.CATALOGUE),
        ({"activo": 0}, Difference.CATALOGUE),
    ],
)
def test_what_a_warmup_mends(stocked: Store, fields: dict[str, object], what: Difference) -> None:
    producto = stocked.product()
    stocked.warm()
    spoil(stocked, producto, **fields)
    assert found(stocked) == [(what, producto)]
    assert len(mend(stocked)) == 1
    assert found(stocked) == []
    stocked.assert_in_step()


def test_what_was_never_carried(stocked: Store) -> None:
    producto = stocked.product()
    assert found(stocked) == [(Difference.MISSING, producto)]
    mend(stocked)
    assert found(stocked) == []


@pytest.mark.parametrize(
    ("fields", "what"), [({"reservado": 1}, Difference.RESERVADO), ({"version": 99}, Difference.AHEAD)]
)
def test_what_needs_a_cold_start(stocked: Store, fields: dict[str, object], what: Difference) -> None:
    producto = stocked.product()
    stocked.warm()
    spoil(stocked, producto, **fields)
    assert found(stocked) == [(what, producto)]
    assert stocked.armed()
    assert "disarmed" in mend(stocked)[0]
    assert not stocked.armed()
    report = compared(stocked)
    assert (report.armed, report.findings) == (False, [])


def test_a_hold_that_is_gone(stocked: Store) -> None:
    producto, venta_id = stocked.product(), uuid4()
    stocked.warm()
    stocked.hold({producto: 1000}, venta_id=venta_id)
    scripts.delete(key=keys.hold(stocked.tienda_id, venta_id))
    report = compared(stocked)
    assert sorted(finding.what for finding in report.findings) == [Difference.HOLD, Difference.RESERVADO]
    assert str(venta_id) in {finding.name for finding in report.findings}
    reconcile.repair(report=report, now_ms=now_ms())
    assert not stocked.armed()


def test_a_loaded_hash_that_is_gone_disarms(stocked: Store) -> None:
    producto = stocked.product()
    stocked.warm()
    scripts.delete(key=keys.stock(stocked.tienda_id, producto))
    assert found(stocked) == [(Difference.MISSING, producto)]
    with pytest.raises(warmup.ColdStartNeeded):
        mend(stocked)
    assert not stocked.armed()


def test_a_ledger_that_does_not_add_up_is_said_and_left(stocked: Store) -> None:
    producto = stocked.product()
    stocked.warm()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE productos SET stock_actual = stock_actual - 1 WHERE id = %s", [producto])
    report = compared(stocked)
    assert Difference.LEDGER in {finding.what for finding in report.findings}
    [finding] = [each for each in report.findings if each.what is Difference.LEDGER]
    assert finding.seen["stock_actual"] == 9_000
    assert finding.seen["ledger_sum"] == 10_000
    reconcile.repair(report=report, now_ms=now_ms())
    assert found(stocked) == [(Difference.LEDGER, producto)]


def test_what_is_on_its_way_is_in_doubt_and_no_difference(stocked: Store) -> None:
    """PostgreSQL has the sale, Redis not yet: its hold says so."""
    producto, venta_id = stocked.product(), uuid4()
    stocked.warm()
    stocked.hold({producto: 1000}, venta_id=venta_id)
    sold = ledger.Movement(producto, stocked.tienda_id, TipoMovimiento.AJUSTE, Decimal(-1), datetime.now(UTC))
    with transaction.atomic():
        ledger.record(movements=[sold])
    seen = reconcile.look(tienda_id=stocked.tienda_id)
    assert seen.in_doubt
    assert reconcile.confirm(seen=seen).findings == []
    reservation.settle(
        tienda_id=stocked.tienda_id, sales=[reservation.SettledSale(venta_id, HUELLA)], balances=[], answer_ttl_s=60
    )
    assert found(stocked) == [(Difference.BEHIND, producto)]


def test_what_is_held_between_two_reads_is_no_difference(stocked: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    producto, read_stock = stocked.product(), figures.read_stock
    stocked.warm()

    def read_late(**asked: Any) -> list[figures.StockHash | None]:
        stocked.hold({producto: 1000})
        return read_stock(**asked)

    monkeypatch.setattr(figures, "read_stock", read_late)
    seen = reconcile.look(tienda_id=stocked.tienda_id)
    assert seen.in_doubt
    assert reconcile.confirm(seen=seen).findings == []


def has_moved_on(moved: list[int], seen: int) -> bool:
    return moved[0] > seen


def test_no_false_alarm_while_stock_moves(stocked: Store) -> None:
    """Holds, adjustments, intakes and prices, as fast as they go, beside one reconciliation after another."""
    productos = stocked.products(8, stock="1000")
    stocked.warm()
    stop = threading.Event()
    moved = [0]

    def move() -> None:
        try:
            for number in range(100_000):
                if stop.is_set():
                    return
                producto = productos[number % len(productos)]
                intake.lower_stock(operation=stocked.operation({producto: 10}), now_ms=now_ms())
                intake.receive_stock(operation=stocked.operation({producto: 10}, tipo="COMPRA"))
                moved[0] += 1
        finally:
            connection.close()

    mover = threading.Thread(target=move)
    mover.start()
    try:
        doubts = 0
        for _round in range(5_000):
            seen = reconcile.look(tienda_id=stocked.tienda_id)
            doubts += seen.in_doubt
            if seen.in_doubt:  # as reconcile_tienda waits between its two looks; here until what was under way is done
                wait_until(partial(has_moved_on, moved, moved[0]), timeout_s=30, what="a move is finished")
            assert reconcile.confirm(seen=seen).findings == []
            if moved[0] >= MOVES and doubts >= DOUBTS:
                break
    finally:
        stop.set()
        mover.join()
    assert moved[0] >= MOVES
    assert doubts >= DOUBTS  # it was in the middle of something
    assert found(stocked) == []


def test_entries_of_a_journal(stocked: Store) -> None:
    producto, venta_id, failed = stocked.product(), uuid4(), uuid4()
    stocked.warm()
    before = now_ms()
    stocked.hold({producto: 1000}, venta_id=venta_id)
    stocked.hold({producto: 500}, venta_id=failed)
    reservation.keep_failed(tienda_id=stocked.tienda_id, venta_id=failed, huella=HUELLA)
    first, second = journal.entries(tienda_id=stocked.tienda_id)
    assert (first.venta_id, first.intents, first.swept) == (venta_id, 1, 0)
    assert first.due_ms is not None
    assert first.due_ms > first.made_ms >= before
    assert first.hold is not None
    assert [product.cantidad_milli for product in first.hold.products] == [1000]
    assert (second.venta_id, second.due_ms) == (failed, None)
