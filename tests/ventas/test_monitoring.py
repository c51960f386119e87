"""The state that /metrics shows, on real servers in every state."""

import threading
import time
from datetime import UTC, datetime, timedelta
from math import inf
from uuid import UUID, uuid4

import pytest
from django.db import connections
from django_celery_beat.models import PeriodicTask
from prometheus_client import CollectorRegistry, generate_latest
from redis import Redis

from blend_pos.tiendas.models import Tienda
from cache_stock import figures, keys, scripts, vitals
from scripts.services import Services
from tests.pipeline.rabbit import FAILED, SALES, VirtualHost
from tests.pipeline.shop import Shop, open_shop
from tests.polling import wait_until
from tests.ventas.shown import OF_REDIS, OF_SERVERS, PARTS, open_alone, page, up
from ventas import broker, monitoring, topology
from ventas.models import EstadoFalla, MotivoFalla, VentaFallida
from ventas.monitoring import StateCollector
from ventas.reconcile import reconcile_tienda


@pytest.fixture
def shop(live_db: None) -> Shop:
    return open_alone()


def hold(shop: Shop, *, made_s_ago: float, failed: bool = False) -> UUID:
    """A hold as the scripts keep one; of a failed sale where asked for."""
    venta = uuid4()
    now_ms = int(time.time() * 1000)
    client = scripts.stock_client()
    made_ms = now_ms - int(made_s_ago * 1000)
    client.hset(keys.hold(shop.tienda_id, venta), mapping={"creada": made_ms, "lineas": "", "huella": "x"})
    client.zadd(keys.journal(shop.tienda_id), {str(venta): inf if failed else made_ms + 10_000})
    return venta


def test_all_is_well(shop: Shop, host: VirtualHost) -> None:
    shown = page()

    assert up(shown) == PARTS
    assert set(shown) >= OF_REDIS
    assert {shown[name] for name in OF_SERVERS} == {0}
    assert shown["stock_holds"] == shown["stock_oldest_hold_seconds"] == 0
    assert shown["stock_tiendas_not_armed"] == shown["sales_failed_open"] == 0
    assert 0 <= shown["stock_warmup_age_seconds"] < 60
    assert shown['sales_queue_messages{queue="sales.created"}'] == 0
    assert {name for name in shown if name.startswith("sales_queue_consumers")} == {
        f'sales_queue_consumers{{queue="{queue}"}}' for queue in ("sales.created", "sales.failed", "maintenance")
    }


def test_sales_that_wait_are_counted_and_the_oldest_is_told(shop: Shop) -> None:
    hold(shop, made_s_ago=5)
    hold(shop, made_s_ago=90)
    hold(shop, made_s_ago=4_000, failed=True)

    shown = page()

    assert shown["stock_holds"] == 2
    assert 90 <= shown["stock_oldest_hold_seconds"] < 120


def test_among_more_holds_than_are_looked_at(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vitals, "HOLDS_LOOKED_AT", 2)
    for age in (40, 30, 20):
        hold(shop, made_s_ago=age)

    assert page()["stock_holds"] == 3
    assert 40 <= page()["stock_oldest_hold_seconds"] < 60


def test_the_warmup_that_is_longest_ago(shop: Shop) -> None:
    other = open_shop()
    figures.note_warmed(tienda_id=other.tienda_id, at_ms=int(time.time() * 1000) - 90_000_000)
    assert 90_000 <= page()["stock_warmup_age_seconds"] < 90_060

    figures.forget_warmed(tienda_id=shop.tienda_id)
    assert page()["stock_warmup_age_seconds"] == inf


def test_a_tienda_that_redis_does_not_sell_for(shop: Shop) -> None:
    scripts.stock_client().hdel(keys.meta(shop.tienda_id), "run_id")

    assert page()["stock_tiendas_not_armed"] == 1


def test_one_that_was_never_armed_is_not_sold_for_either(shop: Shop) -> None:
    Tienda.objects.create(nombre="nueva")
    shown = page()

    assert shown["stock_tiendas_not_armed"] == 1
    assert 0 <= shown["stock_warmup_age_seconds"] < 60  # of those that are sold for


def test_what_the_last_reconciliation_of_each_tienda_found(shop: Shop) -> None:
    other, drift = open_shop(), f'stock_drift_products{{tienda="{shop.tienda_id}"}}'
    assert not any(name.startswith("stock_drift_products") for name in page())

    scripts.stock_client().hincrby(keys.stock(shop.tienda_id, shop.products[0]), "saldo", 1)
    for tienda_id in (shop.tienda_id, other.tienda_id):
        reconcile_tienda(tienda_id=tienda_id, repair=True, patience_s=0.05)
    shown = page()
    assert (shown[drift], shown[f'stock_drift_products{{tienda="{other.tienda_id}"}}']) == (1, 0)

    reconcile_tienda(tienda_id=shop.tienda_id, repair=False)
    assert page()[drift] == 0


def test_a_tienda_that_is_closed_differs_in_nothing_any_more(shop: Shop) -> None:
    """Nobody reconciles it: what was found last would stay for ever."""
    other = open_shop()
    for tienda_id in (shop.tienda_id, other.tienda_id):
        figures.note_drift(tienda_id=tienda_id, differences=3)
    Tienda.objects.filter(pk=shop.tienda_id).update(is_active=False)

    assert {name for name in page() if name.startswith("stock_drift")} == {
        f'stock_drift_products{{tienda="{other.tienda_id}"}}'
    }


def test_a_full_redis_takes_no_note_and_what_was_found_is_said(
    shop: Shop, services: Services, caplog: pytest.LogCaptureFixture
) -> None:
    scripts.stock_client().hincrby(keys.stock(shop.tienda_id, shop.products[0]), "saldo", 1)
    with Redis.from_url(services.redis.url) as redis:
        redis.config_set("maxmemory", 1)
        try:
            found = reconcile_tienda(tienda_id=shop.tienda_id, repair=False, patience_s=0.05)
        finally:
            redis.config_set("maxmemory", 0)

    assert found.differences == 1
    assert "stock_drift_products" in caplog.text


def test_since_when_beat_has_sent_nothing(shop: Shop) -> None:
    PeriodicTask.objects.update(last_run_at=None)
    assert page()["beat_age_seconds"] == inf

    now = datetime.now(UTC)
    PeriodicTask.objects.filter(task="ventas.sweep").update(last_run_at=now - timedelta(minutes=20))
    PeriodicTask.objects.filter(task="ventas.reconcile").update(last_run_at=now, enabled=False)
    try:
        assert 1200 <= page()["beat_age_seconds"] < 1260
    finally:
        PeriodicTask.objects.filter(task="ventas.reconcile").update(enabled=True)


def test_failed_sales_that_wait_for_a_person(shop: Shop) -> None:
    for estado in (EstadoFalla.ABIERTA, EstadoFalla.ABIERTA, EstadoFalla.REINTENTADA):
        VentaFallida.objects.create(
            tienda_id=shop.tienda_id,
            venta_id=uuid4(),
            huella="x",
            motivo=MotivoFalla.values[0],
            registrada=datetime.now(UTC),
            estado=estado,
        )

    assert page()["sales_failed_open"] == 2


def test_of_a_queue_that_nobody_has_declared_yet(shop: Shop, host: VirtualHost) -> None:
    with host.channel() as channel:
        channel.queue_delete(topology.MAINTENANCE_QUEUE.name)

    shown = page()

    assert up(shown) == PARTS
    assert shown['sales_queue_consumers{queue="maintenance"}'] == 0


def test_what_waits_in_the_queues(shop: Shop, host: VirtualHost) -> None:
    host.publish(b"{}")
    host.wait_ready(SALES, 1)

    assert page()['sales_queue_messages{queue="sales.created"}'] == 1
    assert broker.depths()["sales.failed"] == broker.Depth(messages=host.ready(FAILED), consumers=0)


def test_each_part_that_is_away_is_named_and_the_others_tell_on(shop: Shop, services: Services) -> None:
    hold(shop, made_s_ago=1)
    collector = StateCollector()
    registry = CollectorRegistry()
    registry.register(collector)
    generate_latest(registry)  # which tiendas there are is known from now on

    for part, server in (
        ("redis", services.redis),
        ("rabbitmq", services.rabbit),
        ("postgresql", services.postgres),
    ):
        server.kill()
        collector._read_at = -monitoring.KEPT_S - time.monotonic()
        lines = generate_latest(registry).decode()
        assert f'part_up{{part="{part}"}} 0.0' in lines
        assert lines.count(" 1.0\n") >= 2
        assert ("stock_holds 1.0" in lines) == (part != "redis")
        assert ("sales_failed_open" in lines) == (part != "postgresql")
        assert ("sales_queue_messages" in lines) == (part != "rabbitmq")
        server.start()


def test_a_web_that_starts_without_postgresql_tells_no_zeros(shop: Shop, services: Services) -> None:
    """Which tiendas there are it does not know: another web process may know of three sales that wait."""
    hold(shop, made_s_ago=90)
    services.postgres.kill()
    try:
        shown = page()
    finally:
        services.postgres.start()

    assert up(shown) == PARTS - {"postgresql"}
    assert {name for name in shown if name.startswith("stock_")} == OF_SERVERS
    assert page()["stock_holds"] == 1


def test_a_part_that_stands_still_keeps_one_thread(
    shop: Shop, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another is told what is kept; nothing, once that is old."""
    collector = StateCollector()
    kept = list(collector.collect())
    collector._read_at -= monitoring.KEPT_S
    monkeypatch.setattr(monitoring, "PATIENCE_S", 0.05)

    def collect() -> None:
        collector.collect()
        connections.close_all()

    first = threading.Thread(target=collect)
    services.postgres.freeze()
    first.start()
    wait_until(collector._lock.locked, timeout_s=1, what="the first one asks")
    assert list(collector.collect()) == kept
    collector._read_at -= monitoring.OLD_S
    assert list(collector.collect()) == []
    services.postgres.thaw()
    first.join()


def test_it_is_asked_once_in_some_seconds(shop: Shop) -> None:
    collector = StateCollector()
    first = collector.collect()
    hold(shop, made_s_ago=1)

    assert collector.collect() is first
