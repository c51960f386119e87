"""What a cold start waits for, and what stops a Redis that promises by another past."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.conf import settings
from django.db import connection, transaction

from blend_pos.tiendas.locks import own_tienda, read_position, share_tiendas
from cache_stock import arming, journal, keys
from cache_stock.scripts import stock_client
from tests.pipeline.messages import as_payload, hold
from tests.pipeline.rabbit import FAILED, SALES, VirtualHost, control
from tests.pipeline.shop import Shop, open_shop
from tests.polling import wait_until
from ventas import broker, cold_start, recovery, topology
from ventas.models import MotivoFalla
from ventas.publisher import persist_message

LONG_ENOUGH_S = 30.0


@pytest.fixture
def quiet(host: VirtualHost) -> VirtualHost:
    """The broker has counted its queues, and found them empty."""
    wait_until(lambda: counted() == 0, timeout_s=LONG_ENOUGH_S, what="the queues are counted")
    return host


def counted() -> int | None:
    """None while the broker has not counted a new queue yet."""
    try:
        return broker.unfinished_messages()
    except broker.BrokerAway:
        return None


def send(host: VirtualHost, *payloads: dict[str, Any], routing_key: str = topology.SALES_CREATED) -> None:
    message = persist_message([orjson.dumps(payload) for payload in payloads])
    host.publish(message.body, routing_key=routing_key, headers=message.headers)


def sale_of(shop: Shop) -> dict[str, Any]:
    return as_payload(shop, [(shop.products[0], 1_000)])


# --- the drain


def test_a_message_that_a_worker_has_is_waited_for_though_the_broker_counts_it_late(quiet: VirtualHost) -> None:
    """The first count may be of before it came; the second, an interval later, is not."""
    shop = open_shop()
    send(quiet, sale_of(shop))
    with quiet.channel() as channel:
        assert channel.basic_get(SALES) is not None

        assert not cold_start.drained(claims=[], give_up_s=settings.STATISTICS_INTERVAL_MS / 1000 + 1.5)


def test_a_number_that_the_management_plugin_tells_for_ever_is_not_waited_for(quiet: VirtualHost) -> None:
    """As where RabbitMQ's clock is put right: it samples early, finds a message, and later none, as before that."""
    collector = "queue_coarse_metrics_metrics_collector"
    queue = f'{{resource,<<"{quiet.name}">>,queue,<<"{SALES}">>}}'
    steps = (
        f"rabbit_core_metrics:queue_stats({queue},1,0,1,0)",
        f"{collector} ! collect_metrics",
        f"sys:get_state({collector})",
        f"rabbit_core_metrics:queue_stats({queue},0,0,0,0)",
        f"exit(whereis({collector}), kill)",  # else it samples twice as often from now on
    )
    control(quiet.rabbit, "eval", f"{', '.join(steps)}.")

    assert cold_start.drained(claims=[], give_up_s=LONG_ENOUGH_S)


def test_the_interval_begins_anew_with_each_message_that_is_counted(
    quiet: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty, then not, then empty again: the first zero says nothing of what came after it."""
    counts: list[tuple[float, int]] = []
    count, sale = broker.unfinished_messages, sale_of(open_shop())

    def counting() -> int:
        counts.append((time.monotonic(), count()))
        return counts[-1][1]

    monkeypatch.setattr(broker, "unfinished_messages", counting)
    with ThreadPoolExecutor(max_workers=1) as thread, quiet.channel() as channel:
        draining = thread.submit(cold_start.drained, claims=[], give_up_s=LONG_ENOUGH_S)
        wait_until(lambda: bool(counts), timeout_s=LONG_ENOUGH_S, what="it is looked once")
        send(quiet, sale)
        wait_until(lambda: counts[-1][1] > 0, timeout_s=LONG_ENOUGH_S, what="the message is counted")
        channel.basic_ack(channel.basic_get(SALES).delivery_tag)

        assert draining.result(LONG_ENOUGH_S)

    assert counts[0][1] == 0
    last_message = max(at for at, found in counts if found > 0)
    assert counts[-1][0] - last_message >= settings.STATISTICS_INTERVAL_MS / 1000


def test_failed_sales_are_archived_and_the_claim_is_kept_meanwhile(
    quiet: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "STATISTICS_INTERVAL_MS", 600)  # it is no count that matters here
    shop = open_shop()
    payload = hold(shop, [(shop.products[0], 1_000)])
    send(quiet, payload, routing_key=topology.SALES_FAILED)
    quiet.wait_ready(FAILED, 1)
    journal.disarm(tienda_id=shop.tienda_id)
    claim = arming.claim(tienda_id=shop.tienda_id, token="mine", now_ms=int(time.time() * 1000), lease_ms=1)
    assert claim is not None

    assert cold_start.drained(claims=[claim], give_up_s=LONG_ENOUGH_S)

    assert [str(failed.venta_id) for failed in shop.fallidas()] == [payload["venta_id"]]
    lease = stock_client().hget(keys.meta(shop.tienda_id), "lease")
    assert int(lease or 0) > time.time() * 1000


def test_what_failed_is_unfinished(host: VirtualHost) -> None:
    shop = open_shop()
    send(host, sale_of(shop), routing_key=topology.SALES_FAILED)

    wait_until(lambda: counted() == 1, timeout_s=LONG_ENOUGH_S, what="it is counted")


def test_what_is_on_its_way_to_the_failed_ones_is_unfinished(quiet: VirtualHost) -> None:
    """Nobody can take it there, and it is neither ready nor unacknowledged."""
    with quiet.channel() as channel:
        channel.queue_unbind(FAILED, topology.DEAD_LETTER_EXCHANGE.name, topology.SALES_FAILED)
    send(quiet, sale_of(open_shop()))
    wait_until(lambda: counted() == 1, timeout_s=LONG_ENOUGH_S, what="it is counted as ready")
    with quiet.channel() as channel:
        channel.basic_reject(channel.basic_get(SALES).delivery_tag, requeue=False)

    wait_until(lambda: quiet.in_hand(SALES) == 0, timeout_s=LONG_ENOUGH_S, what="it is counted anew")
    found = counted()
    with quiet.channel() as channel:
        channel.queue_delete(SALES)  # RabbitMQ itself would try again after three minutes
    quiet.declare()

    assert found == 1


def test_a_failed_message_is_acknowledged_only_once_it_is_kept(
    host: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = open_shop()
    send(host, hold(shop, [(shop.products[0], 1_000)]), routing_key=topology.SALES_FAILED)
    host.wait_ready(FAILED, 1)

    def dies(**_sale: object) -> bool:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(recovery, "record_failed_sale", dies)
        with pytest.raises(ZeroDivisionError):
            recovery.archive_failed(now=datetime.now(UTC))
    host.wait_ready(FAILED, 1)

    recovery.archive_failed(now=datetime.now(UTC))

    (failed,) = shop.fallidas()
    assert failed.motivo == MotivoFalla.INTENTOS
    assert host.ready(FAILED) == 0


# --- another past


@pytest.mark.parametrize("other", [("epoch", "99"), ("timeline", "another")], ids=["an epoch", "a timeline"])
def test_a_redis_of_another_past_is_disarmed(live_db: None, other: tuple[str, str]) -> None:
    shop = open_shop()
    cold_start.disarm_other_histories()
    assert shop.is_armed()
    stock_client().hset(keys.meta(shop.tienda_id), *other)

    cold_start.disarm_other_histories()

    assert not shop.is_armed()


def test_a_redis_that_postgresql_went_back_behind_is_disarmed_and_its_answers_are_forgotten(live_db: None) -> None:
    """A copy of its files of before was put in its place: neither timeline nor epoch tells."""
    shop = open_shop()
    meta, kept = keys.meta(shop.tienda_id), keys.answer(shop.tienda_id, uuid4())
    stock_client().set(kept, f"{'a' * 64} written")
    cold_start.disarm_other_histories()
    seen = int(stock_client().hget(meta, "wal") or 0)
    assert 0 < seen <= read_position()
    stock_client().hset(meta, "wal", read_position() + 10**12)

    cold_start.disarm_other_histories()

    assert not shop.is_armed()
    claim = arming.claim(tienda_id=shop.tienda_id, token="mine", now_ms=int(time.time() * 1000), lease_ms=10_000)
    assert claim is not None
    assert arming.load_and_arm(claim=claim, seen_epoch=1, now_ms=int(time.time() * 1000))
    assert stock_client().get(kept) is None
    cold_start.disarm_other_histories()
    assert shop.is_armed()


def test_where_postgresql_moves_on_redis_stays_armed(live_db: None) -> None:
    shop = open_shop()
    for _look in range(3):
        cold_start.disarm_other_histories()
        open_shop()  # writes

    assert shop.is_armed()


def test_what_another_cold_start_arms_meanwhile_stays_armed(live_db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's epochs of before it would be those of another past."""
    shop, read = open_shop(), journal.armed_histories

    def arm_first(*, tiendas: Sequence[UUID]) -> dict[UUID, journal.History]:
        now_ms = int(time.time() * 1000)
        journal.disarm(tienda_id=shop.tienda_id)
        claim = arming.claim(tienda_id=shop.tienda_id, token="another", now_ms=now_ms, lease_ms=5_000)
        assert claim is not None
        assert arming.load_and_arm(claim=claim, seen_epoch=1, now_ms=now_ms)
        return read(tiendas=tiendas)

    monkeypatch.setattr(journal, "armed_histories", arm_first)
    cold_start.disarm_other_histories()

    assert shop.is_armed()


# --- who writes, and who starts anew


def advisory_locks() -> list[str]:
    """Those of this transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT mode FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()")
        return [mode for (mode,) in cursor.fetchall()]


def test_who_writes_sales_shares_what_a_cold_start_owns(live_db: None) -> None:
    """The epoch that was read stays valid until the transaction ends."""
    shop = open_shop()

    with transaction.atomic():
        assert share_tiendas(tiendas=[shop.tienda_id]) == {shop.tienda_id: 1}
        assert advisory_locks() == ["ShareLock"]
    with transaction.atomic():
        assert own_tienda(tienda_id=shop.tienda_id) == 1
        assert advisory_locks() == ["ExclusiveLock"]
