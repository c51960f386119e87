"""When a tienda is due, in its own time zone; and what missed its way to Redis gets there."""

from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django_celery_beat.models import PeriodicTask

from blend_pos.tiendas.models import Tienda
from cache_stock import figures, keys, scripts, tasks, upkeep
from celery_app import app
from inventario.catalogo import ProductChange, change_product
from tests.cache_stock.store import Store, now_ms
from tests.polling import wait_until
from tests.spawning import Spawner

SIX = time(6)
HALF_A_DAY = timedelta(hours=12)
MEXICO = "America/Mexico_City"  # six hours behind UTC, all the year


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "expected"),
    [
        ("2026-03-10 12:00", MEXICO, "2026-03-10 12:00"),
        ("2026-03-10 11:59", MEXICO, "2026-03-09 12:00"),
        ("2026-03-10 23:59", MEXICO, "2026-03-10 12:00"),
        ("2026-03-10 03:00", MEXICO, "2026-03-09 12:00"),
        ("2026-03-09 21:00", "Asia/Tokyo", "2026-03-09 21:00"),
        ("2026-03-09 20:59", "Asia/Tokyo", "2026-03-08 21:00"),
        ("2026-03-29 04:00", "Europe/Madrid", "2026-03-29 04:00"),  # the night its clocks go forward
        ("2026-10-25 04:59", "Europe/Madrid", "2026-10-24 04:00"),  # and back
    ],
)
def test_the_last_time_its_clock_showed_six(now: str, zone: str, expected: str) -> None:
    found = upkeep.last_time(now=at(now), hora=SIX, zone=ZoneInfo(zone))
    assert found.astimezone(UTC) == at(expected)


def test_an_hour_that_a_clock_change_leaves_out() -> None:
    madrid = ZoneInfo("Europe/Madrid")
    before = upkeep.last_time(now=at("2026-03-29 00:59"), hora=time(2, 30), zone=madrid)
    after = upkeep.last_time(now=at("2026-03-29 01:31"), hora=time(2, 30), zone=madrid)
    assert (before.date().day, after.date().day) == (28, 29)


def due(store: Store, now: str, *, hora: time = SIX) -> bool:
    return store.tienda_id in upkeep.find_due(now=at(now), hora=hora, oldest=HALF_A_DAY)


def warmed(store: Store, when: str) -> None:
    figures.note_warmed(tienda_id=store.tienda_id, at_ms=int(at(when).timestamp() * 1000))


@pytest.mark.parametrize(
    ("warmed_at", "now", "expected"),
    [
        ("2026-03-10 11:58", "2026-03-10 11:59", False),
        ("2026-03-10 11:58", "2026-03-10 12:00", True),  # six o'clock there
        ("2026-03-10 12:00", "2026-03-10 12:15", False),
        ("2026-03-10 12:00", "2026-03-11 00:00", False),
        ("2026-03-10 12:00", "2026-03-11 00:01", True),  # warm for too long
        ("2026-03-08 12:00", "2026-03-10 12:00", True),
    ],
)
def test_due_at_six_and_after_half_a_day(store: Store, warmed_at: str, now: str, expected: bool) -> None:
    store.warm()
    warmed(store, warmed_at)
    assert due(store, now) is expected


def test_a_tienda_never_warmed_is_due_and_a_closed_one_is_not(store: Store) -> None:
    assert due(store, "2026-03-10 12:00")
    Tienda.objects.filter(pk=store.tienda_id).update(is_active=False)
    assert not due(store, "2026-03-10 12:00")


def test_another_hour_of_the_manager_s(store: Store) -> None:
    store.warm()
    warmed(store, "2026-03-10 12:00")
    assert not due(store, "2026-03-10 13:30")
    assert due(store, "2026-03-10 13:30", hora=time(7))


@pytest.mark.parametrize(("text", "hora"), [("07:30", time(7, 30)), ("6", SIX), ("a las seis", SIX), ("25:00", SIX)])
def test_what_a_manager_writes(text: str, hora: time) -> None:
    assert tasks._read_hora(text) == hora


def test_a_price_that_missed_its_way_gets_there(store: Store) -> None:
    changed, other = store.product(precio="10.00"), store.product()
    store.warm()
    change_product(producto_id=changed, change=ProductChange(precio=Decimal(12)))  # and no word to Redis
    assert store.in_redis(changed)["precio"] == "1000"
    assert upkeep.carry_what_changed(now_ms=now_ms()) >= 1
    assert (store.in_redis(changed)["precio"], store.in_redis(other)["precio"]) == ("1200", "1000")


def test_what_did_not_change_is_left_alone(store: Store) -> None:
    producto = store.product(precio="10.00")
    store.warm()
    warmed(store, (datetime.now(UTC) + timedelta(minutes=1)).isoformat(" ", "seconds")[:19])
    scripts.stock_client().hset(keys.stock(store.tienda_id, producto), "precio", "7")
    upkeep.carry_what_changed(now_ms=now_ms())
    assert store.in_redis(producto)["precio"] == "7"


def test_one_tienda_that_waits_stops_no_other(store: Store) -> None:
    other = Store()
    first, second = sorted((store, other), key=lambda each: each.tienda_id)
    changed = []
    for each in (first, second):
        changed.append(each.product(precio="10.00"))
        each.warm()
        change_product(producto_id=changed[-1], change=ProductChange(precio=Decimal(12)))
    first.disarm()
    upkeep.carry_what_changed(now_ms=now_ms())
    assert (first.in_redis(changed[0])["precio"], second.in_redis(changed[1])["precio"]) == ("1000", "1200")


def test_the_schedule_is_there_after_migrating(live_db: None) -> None:
    rows = PeriodicTask.objects.filter(enabled=True).select_related("interval")
    schedule = {row.task: (row.interval.every, row.interval.period, row.expire_seconds) for row in rows if row.interval}
    assert schedule["cache_stock.warm_due"] == (15, "minutes", 900)
    assert schedule["ventas.sweep"] == (2, "seconds", 10)
    assert schedule["ventas.cold_start"] == (2, "seconds", 10)
    assert schedule["ventas.archive_failed"] == (10, "seconds", 60)


def test_a_worker_warms_what_is_due(store: Store, spawn: Spawner) -> None:
    producto = store.product()
    Tienda.objects.exclude(pk=store.tienda_id).update(is_active=False)  # those of other tests would be warmed first
    spawn.maintenance().wait_ready()
    app.send_task("cache_stock.warm_due", kwargs={"hora": "06:00"})  # by its name, as who has not its code
    wait_until(store.armed, timeout_s=30, what="the worker arms the tienda")
    wait_until(store.warmed_at, timeout_s=10, what="and notes it")
    assert store.available(producto) == 10_000
