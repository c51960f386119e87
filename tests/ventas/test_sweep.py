"""The sweep: overdue holds are published again, with back-off; nothing is given back."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from pytest_django import Settings

from cache_stock import reservation, scripts, warmup
from tests.pipeline.messages import as_payload, hold, put
from tests.pipeline.rabbit import SALES, VirtualHost
from tests.pipeline.shop import open_shop
from ventas import broker, recovery
from ventas.recovery import BACKLOG_MESSAGES

OVERDUE_MS = 3_600_000
FULL_BYTES = 1_000_000


def now_ms() -> int:
    return int(time.time() * 1000)


def sweep_in_an_hour() -> dict[str, int]:
    """A round, as if an hour had passed."""
    return recovery.sweep(now_ms=now_ms() + OVERDUE_MS)


def test_prices_are_those_of_the_hold(host: VirtualHost) -> None:
    shop = open_shop(products=1, precios=("10.00",))
    orphan = hold(shop, [(shop.products[0], 1_000)])

    sweep_in_an_hour()

    host.wait_ready(SALES, 1)
    assert orphan in host.sales()


def test_nothing_while_the_queue_is_long(host: VirtualHost) -> None:
    """A backlog is no loss. Whatever the sweep finds, it gives nothing back."""
    shop = open_shop()
    orphan = hold(shop, [(shop.products[0], 1_000)])
    for _ in range(BACKLOG_MESSAGES + 1):
        put(host, [as_payload(shop, [(shop.products[1], 1_000)])])
    host.wait_ready(SALES, BACKLOG_MESSAGES + 1)

    assert sweep_in_an_hour()["published"] == 0

    assert host.ready(SALES) == BACKLOG_MESSAGES + 1
    assert list(shop.holds()) == [UUID(orphan["venta_id"])]
    assert shop.saldos()[shop.products[0]] == (1_000_000, 1_000)
    host.purge()
    assert sweep_in_an_hour()["published"] >= 1


def test_what_is_not_overdue_is_left_alone(host: VirtualHost) -> None:
    shop = open_shop()
    hold(shop, [(shop.products[0], 1_000)])

    recovery.sweep(now_ms=now_ms() + settings.SWEEP_AFTER_MS - 5_000)

    assert not [sale for sale in host.sales() if sale["tienda_id"] == str(shop.tienda_id)]


def test_each_round_waits_longer_before_the_next(host: VirtualHost) -> None:
    shop = open_shop()
    venta_id = UUID(hold(shop, [(shop.products[0], 1_000)])["venta_id"])
    now, pauses, sales = now_ms() + OVERDUE_MS, [], []
    for _ in range(8):
        recovery.sweep(now_ms=now)
        due = int(shop.holds()[venta_id])
        pauses.append(due - now)
        now = due
        sales += [sale["venta_id"] for sale in host.sales()]

    first, longest = settings.SWEEP_AFTER_MS, settings.SWEEP_BACKOFF_MAX_MS
    assert pauses == [min(first * 2**n, longest) for n in range(1, 9)]
    assert sales.count(str(venta_id)) == 8


def test_two_sweeps_at_once_claim_each_hold_once(host: VirtualHost) -> None:
    shop = open_shop()
    ventas = {hold(shop, [(shop.products[0], 1_000)])["venta_id"] for _ in range(60)}
    at = now_ms() + OVERDUE_MS

    def claim(_: int) -> list[reservation.LiveHold]:
        return reservation.claim_overdue(
            tienda_id=shop.tienda_id, now_ms=at, first_pause_ms=1_000, longest_pause_ms=1_000, most=500
        )

    with ThreadPoolExecutor(6) as threads:
        claimed = [str(live.venta_id) for part in threads.map(claim, range(6)) for live in part]

    assert sorted(claimed) == sorted(ventas)


def test_a_hold_that_cannot_be_read_stops_no_other(host: VirtualHost) -> None:
    shop = open_shop()
    for pedido in ("no json", "{}", "[]", '{"tipo": "AJUSTE"}'):
        assert isinstance(
            reservation.reserve(
                tienda_id=shop.tienda_id,
                venta_id=uuid4(),
                huella="0" * 64,
                nonce="nonce",
                wanted=[reservation.Wanted(shop.products[0], 1_000)],
                pedido=pedido,
                now_ms=now_ms(),
                sweep_after_ms=0,
                most_holds=100,
            ),
            reservation.Hold,
        )
    good = hold(shop, [(shop.products[0], 1_000)])

    sweep_in_an_hour()

    mine = [sale["venta_id"] for sale in host.sales() if sale["tienda_id"] == str(shop.tienda_id)]
    assert mine == [good["venta_id"]]
    assert len(shop.holds()) == 5


@pytest.mark.usefixtures("host")
def test_too_many_live_holds_on_the_server_are_braked_and_let_go(settings: pytest.FixtureRequest) -> None:
    shop = open_shop()
    hold(shop, [(shop.products[0], 1_000)])
    settings.HOLDS_MAX_PER_SERVER = 0  # type: ignore[attr-defined] # pytest-django's fixture
    recovery.sweep(now_ms=now_ms())
    with pytest.raises(reservation.TooManyHolds):
        hold(shop, [(shop.products[0], 1_000)])

    settings.HOLDS_MAX_PER_SERVER = 10**9  # type: ignore[attr-defined] # pytest-django's fixture
    recovery.sweep(now_ms=now_ms())

    hold(shop, [(shop.products[0], 1_000)])


@pytest.fixture
def full(host: VirtualHost) -> Iterator[Callable[[], None]]:
    """Fills Redis, until the test ends."""
    client = scripts.stock_client()

    def fill() -> None:
        client.config_set("maxmemory", FULL_BYTES)

    yield fill
    client.config_set("maxmemory", 0)


def test_what_is_overdue_goes_before_what_is_cold_and_neither_keeps_the_other(
    host: VirtualHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where one node of several takes no writes, and as where RabbitMQ is away."""
    shops = [open_shop() for _number in range(3)]
    orphans = [hold(shop, [(shop.products[0], 1_000)]) for shop in shops]
    cold = open_shop().tienda_id
    order: list[str] = []
    claim, warm = reservation.claim_overdue, warmup.warm_tienda

    def claimed(*, tienda_id: UUID, **rest: Any) -> Any:
        order.append("overdue")
        if tienda_id == shops[1].tienda_id:
            raise scripts.StockRefused("MISCONF the disk is full")
        return claim(tienda_id=tienda_id, **rest)

    def warmed(*, tienda_id: UUID, **rest: Any) -> Any:
        if tienda_id == cold:
            order.append(f"cold, in a hurry: {rest['hurry']}")
        return warm(tienda_id=tienda_id, **rest)

    monkeypatch.setattr(reservation, "claim_overdue", claimed)
    monkeypatch.setattr(warmup, "warm_tienda", warmed)
    reservation.ask_for_warmup(tienda_id=cold)
    sweep_in_an_hour()
    assert order.count("overdue") >= len(shops)
    assert order.index("cold, in a hurry: True") == len(order) - 1
    found = host.sales()
    assert [orphan in found for orphan in orphans] == [True, False, True]

    monkeypatch.setattr(broker, "ready_sales_messages", away)
    reservation.ask_for_warmup(tienda_id=cold)
    with pytest.raises(broker.BrokerAway):
        sweep_in_an_hour()
    assert order[-2:] == ["cold, in a hurry: True"] * 2


def away() -> int:
    raise broker.BrokerAway("frozen")


@pytest.mark.parametrize("what", ["a cold tienda", "too many holds"])
def test_a_full_redis_keeps_nothing_from_being_published(
    what: str, host: VirtualHost, full: Callable[[], None], settings: Settings
) -> None:
    """What is overdue is what makes room, once it is written."""
    shop = open_shop()
    orphan = hold(shop, [(shop.products[0], 1_000)])
    if what == "a cold tienda":
        reservation.ask_for_warmup(tienda_id=open_shop().tienda_id)
    else:
        settings.HOLDS_MAX_PER_SERVER = 0
    full()

    assert sweep_in_an_hour()["warmed"] == 0

    host.wait_ready(SALES, 1)
    assert orphan in host.sales()
