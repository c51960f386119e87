"""How a batch is written: together, in halves, one by one, or later; and what is tried again, by whom."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from celery.exceptions import Reject
from django.db import connection, connections

from cache_stock import intake
from cache_stock.operations import Operation
from inventario import ledger
from inventario.models import TipoMovimiento
from scripts.services import Services
from tests.pipeline.messages import as_payload, as_sale, hold
from tests.pipeline.rabbit import FAILED, SALES, VirtualHost
from tests.pipeline.shop import Shop, open_shop, receipt_gaps
from ventas import batches, persistence, recovery, tasks, topology
from ventas.messages import SaleMessage, read_sale
from ventas.models import MotivoFalla
from ventas.persistence import Verdict
from ventas.publisher import AmqpLink

UNKNOWN_CASHIER = 2_000_000_000


def sales_of(shop: Shop, count: int) -> list[SaleMessage]:
    return [as_sale(shop, [(shop.products[0], 1_000)]) for _ in range(count)]


def sizes(write: Callable[[Callable[[Verdict], None]], Any]) -> list[int]:
    """How many sales each transaction wrote."""
    found: list[int] = []
    write(lambda verdict: found.append(len(verdict.fresh)))
    return found


def deliver(payloads: list[dict[str, Any]], **request: Any) -> None:
    """As a worker runs a message."""
    tasks.persist_sales.push_request(**request)
    try:
        tasks.persist_sales.run(ventas=payloads)
    finally:
        tasks.persist_sales.pop_request()


@pytest.fixture
def unbound(host: VirtualHost) -> Iterator[VirtualHost]:
    """The worker's own link is connected, and from now on nobody takes a retry."""
    shop = open_shop()
    deliver([as_payload(shop, [(shop.products[0], 1_000)], cajero_id=UNKNOWN_CASHIER)], retries=0)
    host.purge()
    with host.channel() as channel:
        channel.queue_unbind(SALES, topology.SALES_EXCHANGE.name, topology.SALES_CREATED)
    yield host
    host.declare()


def test_one_transaction_for_all(live_db: None) -> None:
    shop = open_shop()

    assert sizes(lambda heard: batches.persist_all(sales=sales_of(shop, 100), heard=heard)) == [100]

    assert len(shop.written()) == 100
    shop.assert_exact()


@pytest.mark.parametrize("position", [0, 5, 15])
def test_halves_until_the_one_that_breaks_stands_alone(position: int, live_db: None) -> None:
    shop = open_shop()
    sales = sales_of(shop, 15)
    poison = as_sale(shop, [(shop.products[1], 1_000)], cajero_id=UNKNOWN_CASHIER)
    sales.insert(position, poison)

    found: list[int] = []
    broken = batches.persist_all(sales=sales, heard=lambda verdict: found.append(len(verdict.fresh)))

    assert [(sale, type(error).__name__) for sale, error in broken] == [(poison, "IntegrityError")]
    assert sorted(found) == [1, 2, 4, 8]
    assert len(shop.written()) == 15
    assert not shop.fallidas()
    shop.assert_exact()


def test_two_that_break(live_db: None) -> None:
    shop = open_shop()
    poison = [as_sale(shop, [(shop.products[1], 1_000)], cajero_id=UNKNOWN_CASHIER) for _ in range(2)]
    sales = [poison[0], *sales_of(shop, 6), poison[1]]

    broken = batches.persist_all(sales=sales, heard=lambda _verdict: None)

    assert [sale for sale, _error in broken] == poison
    assert len(shop.written()) == 6


def test_a_read_only_postgresql_is_waited_for(live_db: None) -> None:
    """A standby, a disk that is nearly full: no attempt is counted, and it is written once PostgreSQL writes again."""
    shop = open_shop()
    sales = sales_of(shop, 3)
    with connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = on")  # until this connection is dropped

    assert sizes(lambda heard: batches.persist_all(sales=sales, heard=heard)) == [3]

    assert len(shop.written()) == 3
    shop.assert_exact()


def test_a_worker_that_stood_still_in_its_transaction_writes_it_again(
    live_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL has ended it, so that others get at the rows."""
    shop, record = open_shop(), ledger.record
    stood_still: list[bool] = []

    def stand_still(*, movements: Sequence[ledger.Movement]) -> list[ledger.StockBalance]:
        if not stood_still:
            stood_still.append(True)
            with connection.cursor() as cursor:
                cursor.execute("SET idle_in_transaction_session_timeout = '200ms'")
            time.sleep(1)  # what is tried is that it takes longer than that
        return record(movements=movements)

    monkeypatch.setattr(ledger, "record", stand_still)

    assert sizes(lambda heard: batches.persist_all(sales=sales_of(shop, 3), heard=heard)) == [3]

    assert len(shop.written()) == 3
    shop.assert_exact()


@pytest.mark.parametrize(("deliveries", "reverse"), [(1, False), (2, True), (3, False)])
def test_one_by_one_from_the_front_and_the_back_in_turn(deliveries: int, reverse: bool, live_db: None) -> None:
    shop = open_shop()
    sales = sales_of(shop, 6)
    order: list[UUID] = []

    batches.persist_one_by_one(
        sales=sales, deliveries=deliveries, heard=lambda verdict: order.extend(sale.venta_id for sale in verdict.fresh)
    )

    expected = [sale.venta_id for sale in sales]
    assert order == (expected[::-1] if reverse else expected)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, 1),
        ({"delivery_info": {"redelivered": False}}, 1),
        ({"delivery_info": {"redelivered": True}}, 6),
        ({"x-delivery-count": 1, "delivery_info": {"redelivered": True}}, 1),
        ({"x-delivery-count": 2, "delivery_info": {"redelivered": True}}, 6),
        ({"x-delivery-count": 0}, 1),
    ],
)
def test_a_message_that_comes_again_and_again_is_written_one_sale_a_transaction(
    request_: dict[str, Any], expected: int, host: VirtualHost
) -> None:
    shop = open_shop()

    deliver([as_payload(shop, [(shop.products[0], 1_000)]) for _ in range(6)], **request_)

    assert len(shop.written()) == 6
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(DISTINCT xmin::text) FROM ventas WHERE tienda_id = %s", [shop.tienda_id])
        assert cursor.fetchone() == (expected,)


def test_retries_alone_with_its_attempts_raised(host: VirtualHost) -> None:
    shop = open_shop()
    poison = as_payload(shop, [(shop.products[1], 1_000)], cajero_id=UNKNOWN_CASHIER)

    deliver([as_payload(shop, [(shop.products[0], 1_000)]), poison], retries=0)

    message = host.take(SALES)
    assert message is not None
    assert message.headers["retries"] == 1
    assert message.headers["eta"] is None  # a countdown would go through queues of its own
    assert orjson.loads(message.body)[1]["ventas"] == [poison]
    assert host.take(SALES) is None
    assert len(shop.written()) == 1


def test_where_the_retry_is_refused_the_attempts_run_in_place(
    unbound: VirtualHost, caplog: pytest.LogCaptureFixture
) -> None:
    shop = open_shop()
    poison = hold(shop, [(shop.products[1], 1_000)], cajero_id=UNKNOWN_CASHIER)

    deliver([as_payload(shop, [(shop.products[0], 1_000)]), poison], retries=0)

    assert len([record for record in caplog.records if "cannot be persisted" in record.getMessage()]) == 3
    message = unbound.take(FAILED)
    assert message is not None
    assert message.headers["retries"] == 3
    assert orjson.loads(message.body)[1]["ventas"] == [poison]
    assert len(shop.written()) == 1
    shop.assert_exact(reservado=1_000)


def test_an_attempt_in_place_may_succeed(unbound: VirtualHost) -> None:
    """A product too many, that is there a moment later: the second attempt writes it."""
    shop = open_shop(products=1, stock=1)
    big = as_payload(shop, [(shop.products[0], 2_000)])
    original = AmqpLink.send

    def restock_first(*_arguments: Any, **_options: Any) -> Any:
        _receive(shop)
        return original(*_arguments, **_options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AmqpLink, "send", restock_first)
        deliver([big], retries=0)

    assert list(shop.written()) == [UUID(big["venta_id"])]
    assert unbound.take(FAILED) is None
    assert not shop.fallidas()


def _receive(shop: Shop) -> None:
    """Another unit comes in."""
    operation = Operation(
        tienda_id=shop.tienda_id,
        operacion=uuid4(),
        tipo=TipoMovimiento.COMPRA,
        quantities={shop.products[0]: 1_000},
        motivo="",
        usuario_id=None,
        fecha=datetime.now(UTC),
    )
    intake.receive_stock(operation=operation)


def test_where_even_the_failed_queue_refuses_it_is_recorded_at_once(unbound: VirtualHost) -> None:
    shop = open_shop()
    with unbound.channel() as channel:
        channel.queue_unbind(FAILED, topology.SALES_EXCHANGE.name, topology.SALES_FAILED)
    poison = hold(shop, [(shop.products[1], 1_000)], cajero_id=UNKNOWN_CASHIER)

    deliver([poison], retries=2)

    (failed,) = shop.fallidas()
    assert (str(failed.venta_id), failed.motivo, failed.con_reserva) == (
        poison["venta_id"],
        MotivoFalla.INTENTOS,
        True,
    )
    assert shop.holds() == {UUID(poison["venta_id"]): float("inf")}


def test_postgresql_away_is_no_attempt(host: VirtualHost, services: Services, settings: Any) -> None:
    """The message goes back to its queue, whole and uncounted."""
    shop = open_shop()
    payload = as_payload(shop, [(shop.products[0], 1_000)])
    settings.PAUSE_WITHOUT_POSTGRESQL_MAX_S = 0.3
    services.postgres.stop()
    started = time.monotonic()

    with pytest.raises(Reject) as rejected:
        deliver([payload], retries=0)

    reject: Any = rejected.value  # whose stubs lack it
    assert reject.requeue
    assert time.monotonic() - started < 5
    services.postgres.start()
    connections.close_all()
    assert host.ready(SALES) == host.ready(FAILED) == 0
    deliver([payload], retries=0)
    assert len(shop.written()) == 1


def test_receipts_have_no_gap_however_many_write_them(live_db: None) -> None:
    shop = open_shop(products=2, terminals=2)
    pieces = [
        [as_sale(shop, [(shop.products[n % 2], 1_000)], terminal_id=shop.seats[n % 2].terminal_id) for n in range(5)]
        for _ in range(40)
    ]

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(_write, pieces))

    assert len(shop.written()) == 200
    assert not receipt_gaps(shop.tienda_id)


def test_one_sale_that_two_writers_have_is_one_and_leaves_no_gap(live_db: None) -> None:
    """Copies that name different terminals share no lock: who comes second learns of it when it inserts."""
    shop = open_shop(stock=10_000, terminals=2)
    for _ in range(30):
        venta_id = uuid4()
        pieces = [
            [
                as_sale(shop, [(shop.products[0], 1_000)], venta_id=venta_id, terminal_id=seat.terminal_id),
                *(as_sale(shop, [(shop.products[0], 1_000)], terminal_id=seat.terminal_id) for _ in range(2)),
            ]
            for seat in shop.seats
        ]
        with ThreadPoolExecutor(2) as threads:
            assert list(threads.map(_write, pieces)) == [1, 1]

    assert len(shop.written()) == 30 * 5
    assert set(shop.written().values()) == {1}
    assert shop.sold() == 30 * 5 * 1_000
    assert not receipt_gaps(shop.tienda_id)
    assert not shop.fallidas()


def _write(sales: list[SaleMessage]) -> int:
    """Write a batch in a thread of its own; in how many pieces."""
    heard: list[Verdict] = []
    try:
        broken = batches.persist_all(sales=sales, heard=heard.append)
    finally:
        connections.close_all()
    assert not broken
    return len(heard)


def test_what_is_written_and_cannot_be_settled_is_no_failure(live_db: None, services: Services) -> None:
    """Redis does not answer after the COMMIT: the sale is whole, its hold waits for the sweep."""
    shop = open_shop()
    sale = read_sale(hold(shop, [(shop.products[0], 1_000)]))
    heard: list[Verdict] = []
    services.redis.freeze()
    broken = batches.persist_all(sales=[sale], heard=heard.append)
    services.redis.thaw()

    assert not broken
    assert [len(verdict.fresh) for verdict in heard] == [1]
    assert shop.written() == {sale.venta_id: 1}
    assert batches.persist_all(sales=[sale], heard=heard.append) == []  # as the sweep has it persisted
    assert not shop.holds()
    shop.assert_exact()


def test_balances_settled_are_those_of_the_transaction(live_db: None) -> None:
    shop = open_shop(stock=10)
    first, second = sales_of(shop, 2)
    early = persistence.write(sales=[first], now=datetime.now(UTC))
    late = persistence.write(sales=[second], now=datetime.now(UTC))

    persistence.settle(written=late)
    persistence.settle(written=early)

    assert shop.saldos()[shop.products[0]] == (8_000, 0)
    shop.assert_exact()


def test_an_unreadable_sale_of_a_message_is_recorded_and_the_rest_written(host: VirtualHost) -> None:
    shop = open_shop()
    good = as_payload(shop, [(shop.products[0], 1_000)])

    deliver([good, {"esquema": 9, "venta_id": good["venta_id"]}])

    assert list(shop.written()) == [UUID(good["venta_id"])]
    assert recovery.archive_failed(now=datetime.now(UTC)) == 0
