"""What a supervisor may do with a failed sale: neither way loses stock, and no late message undoes it."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
import redis
from django.db import connection, connections
from django.test import Client

from blend_pos.tiendas.locks import share_tiendas
from blend_pos.tiendas.models import Terminal
from cache_stock import arming, journal, keys, reservation, scripts
from inventario.models import InventoryLedger, TipoMovimiento
from tests.pipeline.messages import as_payload, hold
from tests.pipeline.rabbit import SALES, VirtualHost
from tests.pipeline.shop import Shop, open_shop
from tests.polling import wait_until
from ventas import cold_start, failed_sales, recovery, tasks, topology
from ventas.in_flight import misheld
from ventas.messages import read_sale
from ventas.models import EstadoFalla, MotivoFalla, VentaFallida
from ventas.reconcile import reconcile_tienda

ROUNDS = 40


def now() -> datetime:
    return datetime.now(UTC)


def fail(shop: Shop, *, cantidad_milli: int = 7_000, held: bool = True) -> VentaFallida:
    """A sale that failed at each attempt, as the archiver records it."""
    lines = [(shop.products[0], cantidad_milli)]
    payload = hold(shop, lines) if held else as_payload(shop, lines)
    recovery.record_failed_sale(sale=read_sale(payload), error="for a test", now=now())
    return the_failure(shop)


def fail_by_epoch(shop: Shop, *, cantidad_milli: int = 7_000) -> VentaFallida:
    """A sale from before a cold start: it holds nothing."""
    persist(as_payload(shop, [(shop.products[0], cantidad_milli)], epoch=0))
    failed = the_failure(shop)
    assert (failed.motivo, failed.con_reserva) == (MotivoFalla.EPOCA, False)
    return failed


def the_failure(shop: Shop) -> VentaFallida:
    (failed,) = shop.fallidas()
    return failed


def persist(*payloads: dict[str, Any], retries: int = 0) -> None:
    """As a worker does with a message."""
    tasks.persist_sales.push_request(retries=retries)
    try:
        tasks.persist_sales.run(ventas=list(payloads))
    finally:
        tasks.persist_sales.pop_request()


def retry(failed: VentaFallida) -> None:
    failed_sales.retry(failed_id=failed.pk, now=now())


def discard(failed: VentaFallida, shop: Shop, *, came_back: bool = True, nota: str = "contado") -> None:
    failed_sales.discard(
        failed_id=failed.pk, usuario_id=shop.users["encargado"].pk, nota=nota, goods_came_back=came_back, now=now()
    )


def discard_unheard(
    failed: VentaFallida, shop: Shop, monkeypatch: pytest.MonkeyPatch, *, came_back: bool = True
) -> None:
    """Redis does not answer when its hold is to go."""

    def away(**_asked: object) -> None:
        raise scripts.StockRefused("away")

    with monkeypatch.context() as patch:
        patch.setattr(reservation, "settle", away)
        discard(failed, shop, came_back=came_back)


def stand_still(monkeypatch: pytest.MonkeyPatch, *meanwhile: Callable[[], object]) -> None:
    """Whoever tries a sale again has looked at it, and this happens before it is held."""

    def after_that(**asked: Any) -> dict[UUID, int]:
        monkeypatch.setattr(failed_sales, "share_tiendas", share_tiendas)  # once
        with ThreadPoolExecutor(1) as threads:
            for action in meanwhile:
                assert threads.submit(_apart, action).result() is None
        return share_tiendas(**asked)

    monkeypatch.setattr(failed_sales, "share_tiendas", after_that)


def forget_answer(shop: Shop, failed: VentaFallida) -> None:
    """Two days have passed, or memory was short."""
    journal.forget_answer(tienda_id=shop.tienda_id, venta_id=venta_id(failed))


def venta_id(failed: VentaFallida) -> UUID:
    assert failed.venta_id is not None
    return failed.venta_id


def published(host: VirtualHost, shop: Shop) -> list[dict[str, Any]]:
    return [sale for sale in host.sales() if sale["tienda_id"] == str(shop.tienda_id)]


def start_cold(shop: Shop) -> None:
    """One tienda's cold start; nothing is in flight."""
    journal.disarm(tienda_id=shop.tienda_id)
    claim = arming.claim(tienda_id=shop.tienda_id, token=uuid4().hex, now_ms=int(time.time() * 1000), lease_ms=5_000)
    assert claim is not None
    assert arming.load_and_arm(
        claim=claim,
        seen_epoch=1,
        now_ms=int(time.time() * 1000),
        failed_holds=cold_start.failed_holds,
        answers=cold_start.answers,
    )


def test_a_cold_start_that_redis_fails_leaves_no_cursor_open(
    host: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever keeps the error keeps what was under way, until it is collected: in the middle of any query."""
    shop = open_shop()
    persist(*(hold(shop, [(shop.products[0], 1_000)]) for _ in range(2)))
    monkeypatch.setattr(arming, "PRODUCTS_A_CALL", 1)  # one answer at a time

    def lose(*_arguments: object, **_options: object) -> None:
        raise redis.TimeoutError

    monkeypatch.setattr(redis.client.Pipeline, "execute", lose)
    with pytest.raises(scripts.ReplyLost) as kept:
        start_cold(shop)

    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_cursors WHERE is_holdable")
        assert cursor.fetchall() == []
    assert "_remember" in {entry.name for entry in kept.traceback}


# --- reintentar


def test_a_retry_publishes_the_same_sale_at_the_prices_it_was_sold(host: VirtualHost) -> None:
    shop = open_shop()
    failed = fail(shop)

    retry(failed)

    assert the_failure(shop).estado == EstadoFalla.REINTENTADA
    sent = published(host, shop)
    assert sent == [failed.mensaje]
    assert shop.saldos()[shop.products[0]] == (1_000_000, 7_000)  # one hold, not two
    assert 0 < shop.holds()[venta_id(failed)] < float("inf")  # the sweep looks after it again
    persist(*sent)
    assert the_failure(shop).estado == EstadoFalla.PERSISTIDA
    assert shop.written() == {venta_id(failed): 1}
    shop.assert_exact()


def test_a_retry_after_a_cold_start_is_under_the_new_epoch(host: VirtualHost) -> None:
    shop = open_shop()
    failed = fail(shop)
    start_cold(shop)
    assert shop.holds() == {venta_id(failed): float("inf")}  # held again, and left alone by the sweep
    shop.assert_exact(reservado=7_000)

    retry(failed)

    (sent,) = published(host, shop)
    assert failed.mensaje is not None
    assert sent == failed.mensaje | {"epoch": 2}
    persist(sent)
    assert shop.written() == {venta_id(failed): 1}
    shop.assert_exact()


def test_a_retry_that_a_cold_start_has_overtaken_is_open_again(host: VirtualHost) -> None:
    shop = open_shop()
    failed = fail(shop)
    retry(failed)
    (sent,) = published(host, shop)
    start_cold(shop)

    persist(sent)

    again = the_failure(shop)
    assert (again.estado, again.motivo) == (EstadoFalla.ABIERTA, MotivoFalla.EPOCA)
    assert not shop.written()
    retry(again)
    persist(*published(host, shop))
    assert shop.written() == {venta_id(failed): 1}
    shop.assert_exact()


def test_a_retry_whose_message_is_gone_is_open_again_after_a_cold_start(host: VirtualHost) -> None:
    shop = open_shop()
    failed = fail(shop)
    retry(failed)
    host.purge()

    start_cold(shop)

    assert the_failure(shop).estado == EstadoFalla.ABIERTA
    assert shop.holds() == {venta_id(failed): float("inf")}
    shop.assert_exact(reservado=7_000)


def test_a_retry_of_what_holds_nothing_holds_first(host: VirtualHost) -> None:
    shop = open_shop(stock=10)
    failed = fail_by_epoch(shop)

    retry(failed)

    shop.assert_exact(reservado=7_000)
    persist(*published(host, shop))
    assert shop.written() == {venta_id(failed): 1}
    shop.assert_exact()


def test_a_retry_without_stock_changes_nothing(host: VirtualHost) -> None:
    shop = open_shop(stock=10)
    failed = fail_by_epoch(shop)
    hold(shop, [(shop.products[0], 4_000)])

    with pytest.raises(failed_sales.CannotHold):
        retry(failed)

    again = the_failure(shop)
    assert (again.estado, again.con_reserva) == (EstadoFalla.ABIERTA, False)
    assert not published(host, shop)
    shop.assert_exact(reservado=4_000)


def test_a_retry_that_the_broker_refuses_keeps_the_hold(host: VirtualHost) -> None:
    shop = open_shop()
    retry(fail(shop))  # the link is connected from now on
    other = open_shop()
    failed = fail(other)
    host.purge()
    with host.channel() as channel:
        channel.queue_unbind(SALES, topology.SALES_EXCHANGE.name, topology.SALES_CREATED)

    with pytest.raises(failed_sales.CannotPublish):
        retry(failed)

    host.declare()
    assert the_failure(other).estado == EstadoFalla.ABIERTA
    assert other.holds() == {venta_id(failed): float("inf")}
    other.assert_exact(reservado=7_000)


def test_the_attempts_of_a_retry_fail_as_the_first_ones_did(host: VirtualHost) -> None:
    """Its terminal is not there: it fails again; once the terminal is there it is written."""
    shop = open_shop()
    terminal = uuid4()
    payload = hold(shop, [(shop.products[0], 7_000)], terminal_id=terminal)
    persist(payload)
    _archive(host, shop)
    failed = the_failure(shop)
    retry(failed)
    _archive(host, shop)
    assert the_failure(shop).estado == EstadoFalla.ABIERTA
    shop.assert_exact(reservado=7_000)

    Terminal.objects.create(id=terminal, tienda_id=shop.tienda_id, numero=9, nombre="nueva")
    retry(failed)
    persist(*published(host, shop))

    assert shop.written() == {venta_id(failed): 1}
    assert the_failure(shop).estado == EstadoFalla.PERSISTIDA
    shop.assert_exact()


def _archive(host: VirtualHost, shop: Shop) -> None:
    """Deliver what was published again, attempt by attempt, then archive what lies in queue.sales.failed."""
    while (message := host.take(SALES)) is not None:
        persist(*orjson.loads(message.body)[1]["ventas"], retries=message.headers["retries"])
    recovery.archive_failed(now=now())


# --- descartar


def test_discarded_and_the_goods_came_back(host: VirtualHost) -> None:
    shop = open_shop()
    failed = fail(shop)

    discard(failed, shop)

    done = the_failure(shop)
    assert (done.estado, done.nota, done.resuelta_por) == (EstadoFalla.DESCARTADA, "contado", shop.users["encargado"])
    assert not shop.holds()
    assert shop.sold() == 0
    shop.assert_exact()
    client = Client(headers={"Authorization": f"Bearer {shop.token}", "Host": "127.0.0.1"})
    assert client.get(f"/api/v1/ventas/{failed.venta_id}").json()["estado"] == "ANULADA"
    body = {"items": [{"producto_id": str(shop.products[0]), "cantidad": 7}], "metodo_pago": "EFECTIVO"}
    again = client.post(
        "/api/v1/ventas/checkout",
        orjson.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": str(failed.venta_id)},
    )
    assert (again.status_code, again.json()["codigo"]) == (422, "venta_anulada")


def test_discarded_and_the_goods_are_gone(host: VirtualHost) -> None:
    shop = open_shop()
    failed = fail(shop)

    discard(failed, shop, came_back=False, nota="se la llevó")

    assert shop.sold() == 7_000
    moved = InventoryLedger.objects.get(producto=shop.products[0], version=2)
    assert (moved.tipo, moved.delta, moved.motivo) == (TipoMovimiento.AJUSTE, Decimal("-7.000"), "se la llevó")
    assert not shop.holds()
    shop.assert_exact()


@pytest.mark.parametrize("came_back", [True, False])
def test_late_copies_of_a_discarded_sale_are_never_written(came_back: bool, host: VirtualHost) -> None:
    """Delivered again and again, before and after it was recorded that it came again."""
    shop = open_shop(stock=10)
    failed = fail(shop)
    assert failed.mensaje is not None
    discard(failed, shop, came_back=came_back)
    sold = shop.sold()

    for _delivery in range(3):
        persist(failed.mensaje)
        recovery.record_failed_sale(sale=read_sale(failed.mensaje), error="dead-lettered", now=now())
    persist(failed.mensaje, failed.mensaje)

    assert not shop.written()
    assert shop.sold() == sold
    again = the_failure(shop)
    assert (again.estado, again.motivo) == (EstadoFalla.ABIERTA, MotivoFalla.LAPIDA)  # somebody is to look at it
    discard(again, shop, came_back=came_back)  # and may say the same again
    assert the_failure(shop).estado == EstadoFalla.DESCARTADA
    assert shop.sold() == sold
    shop.assert_exact()


@pytest.mark.parametrize("stock", [10, 20])
def test_what_was_written_off_is_not_sold_as_well(stock: int, host: VirtualHost) -> None:
    """Its copy came late, and somebody takes it for a sale that is still to be written, with more there or without."""
    shop = open_shop(stock=stock)
    failed = fail(shop)
    assert failed.mensaje is not None
    discard(failed, shop, came_back=False)
    persist(failed.mensaje)
    sold = shop.sold()

    with pytest.raises(failed_sales.WrittenOff):
        retry(the_failure(shop))

    assert the_failure(shop).estado == EstadoFalla.ABIERTA
    assert published(host, shop) == []
    assert shop.sold() == sold
    shop.assert_exact()  # and nothing is held for it


def test_written_off_while_it_is_tried_again(host: VirtualHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever tries it again has looked, and stands still while it is discarded and its copy comes."""
    shop = open_shop(stock=20)
    failed = fail(shop)
    assert failed.mensaje is not None
    stand_still(monkeypatch, partial(discard, failed, shop, came_back=False), partial(persist, failed.mensaje))
    with pytest.raises(failed_sales.WrittenOff):
        retry(failed)

    assert published(host, shop) == []
    shop.assert_exact()


@pytest.mark.parametrize("came_back", [True, False])
def test_discarded_before_it_is_held_again(came_back: bool, host: VirtualHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a late copy has opened it again meanwhile: somebody decided otherwise since it was looked at."""
    shop = open_shop()
    failed = fail(shop)
    assert failed.mensaje is not None
    stand_still(monkeypatch, partial(discard, failed, shop, came_back=came_back), partial(persist, failed.mensaje))

    with pytest.raises(failed_sales.FailedSaleError):
        retry(failed)

    assert not published(host, shop)
    assert (the_failure(shop).estado, the_failure(shop).motivo) == (EstadoFalla.ABIERTA, MotivoFalla.LAPIDA)
    assert shop.sold() == (0 if came_back else 7_000)
    shop.assert_exact()


def test_discarded_while_a_retry_of_it_is_on_its_way(host: VirtualHost) -> None:
    shop = open_shop()
    failed = fail(shop)
    retry(failed)
    (sent,) = published(host, shop)

    discard(failed, shop)
    persist(sent)

    assert not shop.written()
    assert shop.sold() == 0
    assert the_failure(shop).motivo == MotivoFalla.LAPIDA
    shop.assert_exact()


def test_what_is_written_has_not_failed(host: VirtualHost) -> None:
    """A copy of it has used up its attempts, or was dead-lettered."""
    shop = open_shop()
    payload = hold(shop, [(shop.products[0], 7_000)])
    persist(payload)

    assert not recovery.record_failed_sale(sale=read_sale(payload), error="for a test", now=now())

    assert shop.fallidas() == []
    shop.assert_exact()


def test_what_is_written_cannot_be_discarded(host: VirtualHost) -> None:
    shop = open_shop()
    failed = fail(shop)
    assert failed.mensaje is not None
    VentaFallida.objects.filter(pk=failed.pk).update(venta_id=uuid4())  # so that writing it does not close this one
    persist(failed.mensaje)
    VentaFallida.objects.filter(pk=failed.pk).update(venta_id=failed.venta_id)

    with pytest.raises(failed_sales.AlreadyWritten):
        discard(failed, shop, came_back=False)

    assert shop.sold() == 7_000
    shop.assert_exact()


def test_a_discard_needs_a_reason_and_happens_once(host: VirtualHost) -> None:
    shop = open_shop()
    failed = fail(shop)
    with pytest.raises(failed_sales.NoReason):
        discard(failed, shop, nota="  ")
    assert the_failure(shop).estado == EstadoFalla.ABIERTA

    discard(failed, shop, came_back=False)

    actions: list[Callable[[], None]] = [lambda: discard(failed, shop, came_back=False), lambda: retry(failed)]
    for action in actions:
        with pytest.raises(failed_sales.NotOpen):
            action()
    assert shop.sold() == 7_000
    shop.assert_exact()


def test_goods_that_nothing_holds_are_written_off_only_where_nobody_was_promised_them(host: VirtualHost) -> None:
    """Whoever lowers stock holds it first: nine of ten are promised to others."""
    shop = open_shop(stock=10)
    failed = fail_by_epoch(shop, cantidad_milli=2_000)
    promised = hold(shop, [(shop.products[0], 9_000)])

    with pytest.raises(failed_sales.NothingHeld):
        discard(failed, shop, came_back=False)

    assert the_failure(shop).estado == EstadoFalla.ABIERTA
    shop.assert_exact(reservado=9_000)
    persist(promised)
    assert len(shop.written()) == 1
    discard(failed, shop, came_back=True)
    shop.assert_exact()


def test_what_cannot_be_read_can_only_be_discarded(host: VirtualHost) -> None:
    shop = open_shop()
    mark = uuid4().hex
    recovery.record_unreadable(bodies=[(mark, "for a test")], now=now())
    failed = VentaFallida.objects.get(cuerpo=mark)

    with pytest.raises(failed_sales.NoMessage):
        retry(failed)
    discard(failed, shop)

    failed.refresh_from_db()
    assert failed.estado == EstadoFalla.DESCARTADA


@pytest.mark.parametrize("came_back", [True, False])
@pytest.mark.parametrize("retried", [True, False])
def test_a_discard_that_does_not_reach_redis_is_let_go_however_late(
    came_back: bool, retried: bool, host: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Maintenance was down for days."""
    shop = open_shop()
    failed = fail(shop)
    if retried:
        retry(failed)
    discard_unheard(failed, shop, monkeypatch, came_back=came_back)
    VentaFallida.objects.filter(pk=failed.pk).update(resuelta=now() - timedelta(days=3))
    assert shop.holds()

    assert recovery.settle_discarded(tiendas=[shop.tienda_id]) == 1

    assert not shop.holds()
    shop.assert_exact()
    assert recovery.settle_discarded(tiendas=[shop.tienda_id]) == 0


def test_a_discarded_sale_that_cannot_be_read_any_more_is_let_go_by_what_it_holds(
    host: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop()
    failed = fail(shop)
    discard_unheard(failed, shop, monkeypatch, came_back=False)
    VentaFallida.objects.filter(pk=failed.pk).update(mensaje={"esquema": 99})

    assert recovery.settle_discarded(tiendas=[shop.tienda_id]) == 1

    assert not shop.holds()
    shop.assert_exact()


def test_a_hold_that_cannot_be_read_stops_no_other(host: VirtualHost, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = open_shop()
    spoilt = fail(shop)
    discard_unheard(spoilt, shop, monkeypatch)
    other = hold(shop, [(shop.products[1], 2_000)])
    recovery.record_failed_sale(sale=read_sale(other), error="for a test", now=now())
    discard_unheard(VentaFallida.objects.get(venta_id=other["venta_id"]), shop, monkeypatch)
    scripts.set_field(key=keys.hold(shop.tienda_id, venta_id(spoilt)), field="lineas", value="spoilt")

    assert recovery.settle_discarded(tiendas=[shop.tienda_id]) == 1

    assert set(shop.holds()) == {venta_id(spoilt)}


def test_the_hold_of_another_cart_under_its_key_stays(host: VirtualHost) -> None:
    shop = open_shop()
    failed = fail(shop)
    discard(failed, shop)
    forget_answer(shop, failed)
    hold(shop, [(shop.products[1], 1_000)], venta_id=failed.venta_id)

    assert recovery.settle_discarded(tiendas=[shop.tienda_id]) == 0

    assert set(shop.holds()) == {failed.venta_id}


@pytest.mark.parametrize("came_back", [True, False])
def test_the_key_of_a_discarded_sale_that_sells_again_holds_nothing_at_rest(came_back: bool, host: VirtualHost) -> None:
    """Redis has forgotten that it is annulled, and its key does not say how old it is."""
    shop = open_shop()
    failed = fail(shop)
    discard(failed, shop, came_back=came_back)
    sold = shop.sold()
    forget_answer(shop, failed)
    persist(hold(shop, [(shop.products[0], 7_000)], venta_id=failed.venta_id))
    again = the_failure(shop)
    assert (again.estado, again.motivo, again.con_reserva) == (EstadoFalla.ABIERTA, MotivoFalla.LAPIDA, False)
    assert [(sale.held, sale.discarded) for sale in misheld(tienda_id=shop.tienda_id, now_ms=0)] == [(True, True)]
    if came_back:  # what it holds may be let go at any moment
        with pytest.raises(failed_sales.NothingHeld):
            discard(again, shop, came_back=False)

    found = reconcile_tienda(tienda_id=shop.tienda_id, repair=True, patience_s=0)

    assert found.done == ["1 holds of discarded sales let go"]
    assert (shop.holds(), shop.written(), shop.sold()) == ({}, {}, sold)
    shop.assert_exact()
    assert reconcile_tienda(tienda_id=shop.tienda_id, repair=False, patience_s=0).differences == 0


def test_nobody_lets_go_what_is_held_again_and_not_recorded_yet(
    host: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its key sold again, it is a tombstone that holds; whoever lets go such waits for whoever tries one again."""
    shop = open_shop()
    failed = fail(shop)
    discard(failed, shop)
    forget_answer(shop, failed)
    persist(hold(shop, [(shop.products[0], 7_000)], venta_id=failed.venta_id))
    hold_again = failed_sales._hold_again

    with ThreadPoolExecutor(1) as threads:

        def then_it_is_let_go(*arguments: Any) -> reservation.Hold:
            held = hold_again(*arguments)
            letting_go = threads.submit(_apart, partial(recovery.settle_discarded, tiendas=[shop.tienda_id]))
            wait_until(lambda: letting_go.done() or _somebody_waits(), timeout_s=5, what="it is let go, or not yet")
            return held

        monkeypatch.setattr(failed_sales, "_hold_again", then_it_is_let_go)
        retry(failed)

    assert the_failure(shop).estado == EstadoFalla.REINTENTADA
    assert set(shop.holds()) == {failed.venta_id}
    persist(*published(host, shop))
    assert shop.written() == {failed.venta_id: 1}
    shop.assert_exact()


def _somebody_waits() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)")
        return bool((cursor.fetchone() or (False,))[0])


# --- at once


def test_a_discard_and_a_late_message_at_once(host: VirtualHost) -> None:
    """One of them wins, whole: written and not discarded, or discarded and not written."""
    shop = open_shop(stock=10_000)
    outcomes = set()
    for _ in range(ROUNDS):
        payload = hold(shop, [(shop.products[0], 1_000)])
        recovery.record_failed_sale(sale=read_sale(payload), error="for a test", now=now())
        failed = VentaFallida.objects.get(tienda=shop.tienda_id, venta_id=payload["venta_id"])
        with ThreadPoolExecutor(2) as threads:
            writing = threads.submit(_apart, partial(persist, payload))
            refused = threads.submit(_apart, partial(discard, failed, shop)).result()
            assert writing.result() is None
        failed.refresh_from_db()
        written = shop.written().get(UUID(payload["venta_id"]), 0)
        outcomes.add((written, failed.estado, type(refused).__name__))

    assert outcomes <= {
        (1, EstadoFalla.PERSISTIDA, "NotOpen"),
        (1, EstadoFalla.PERSISTIDA, "AlreadyWritten"),
        (0, EstadoFalla.DESCARTADA, "NoneType"),
        (0, EstadoFalla.ABIERTA, "NoneType"),  # discarded, and then the message came
    }
    wait_until(lambda: not shop.holds(), timeout_s=5, what="every hold is settled")
    assert shop.sold() == 1_000 * len(shop.written())
    shop.assert_exact()


def test_two_people_decide_at_once(host: VirtualHost) -> None:
    shop = open_shop(stock=10_000)
    for _ in range(ROUNDS // 4):
        payload = hold(shop, [(shop.products[0], 1_000)])
        recovery.record_failed_sale(sale=read_sale(payload), error="for a test", now=now())
        failed = VentaFallida.objects.get(tienda=shop.tienda_id, venta_id=payload["venta_id"])
        with ThreadPoolExecutor(4) as threads:
            refusals = list(threads.map(_apart, [partial(discard, failed, shop, came_back=False)] * 4))
        assert sorted(type(refusal).__name__ for refusal in refusals) == ["NoneType", "NotOpen", "NotOpen", "NotOpen"]

    assert shop.sold() == 1_000 * (ROUNDS // 4)
    shop.assert_exact()


def _apart(action: Callable[[], object]) -> Exception | None:
    """Do it in a thread of its own; the refusal, if it was refused."""
    try:
        action()
    except failed_sales.FailedSaleError as refusal:
        return refusal
    finally:
        connections.close_all()
    return None


def test_the_hold_of_a_discarded_sale_is_not_published_again(host: VirtualHost) -> None:
    shop = open_shop()
    failed = fail(shop)
    discard(failed, shop)

    assert not reservation.claim_overdue(
        tienda_id=shop.tienda_id, now_ms=10**15, first_pause_ms=1, longest_pause_ms=1, most=10
    )
    assert not published(host, shop)
