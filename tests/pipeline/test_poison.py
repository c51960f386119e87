"""What cannot be written, among what can: it alone fails, it is kept, and its stock stays held."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from cache_stock import reservation
from tests.pipeline.messages import as_payload, hold, put
from tests.pipeline.processes import Pipeline
from tests.pipeline.rabbit import FAILED, VirtualHost
from tests.pipeline.shop import Shop, open_shop
from tests.pipeline.test_killed_workers import crashing_worker
from tests.polling import poll, wait_until
from tests.spawning import Spawner
from ventas import tasks, topology
from ventas.models import EstadoFalla, MotivoFalla, VentaFallida


def foreign_product(shop: Shop) -> dict[str, Any]:
    """A sale of a product that is another tienda's; its own product is held, as the checkout would have done."""
    venta_id = uuid4()
    hold(shop, [(shop.products[0], 7_000)], venta_id=venta_id)
    return as_payload(shop, [(open_shop(products=1).products[0], 7_000)], venta_id=venta_id)


def unknown_cashier(shop: Shop) -> dict[str, Any]:
    return hold(shop, [(shop.products[0], 7_000)], cajero_id=2_000_000_000)


def unknown_terminal(shop: Shop) -> dict[str, Any]:
    return hold(shop, [(shop.products[0], 7_000)], terminal_id=uuid4())


def archived(shop: Shop, host: VirtualHost, *, timeout_s: float = 15) -> VentaFallida:
    """The one failed sale of the shop, once maintenance, asked every second, has moved it out of its queue."""

    def ask() -> bool:
        host.run(tasks.archive_failed)
        return poll(lambda: bool(shop.fallidas()), timeout_s=1)

    wait_until(ask, timeout_s=timeout_s, what="the failed sale is archived")
    (failed,) = shop.fallidas()
    return failed


def wait_all_archived(host: VirtualHost) -> None:
    """What is dead-lettered comes at least once: a second copy is archived, too, as the same."""

    def empty() -> bool:
        host.run(tasks.archive_failed)
        return poll(lambda: host.ready(FAILED) == 0, timeout_s=1)

    wait_until(empty, timeout_s=30, what=f"{FAILED} is empty")


def good_sales(shop: Shop, count: int) -> list[dict[str, Any]]:
    return [hold(shop, [(shop.products[n % 3], 1_000), (shop.products[(n + 1) % 3], 500)]) for n in range(count)]


@pytest.mark.parametrize("make", [foreign_product, unknown_cashier, unknown_terminal])
def test_a_sale_that_fails_among_good_ones(make: Any, pipeline: Pipeline) -> None:
    shop = open_shop(stock=100)
    good = good_sales(shop, 30)
    poison = make(shop)

    put(pipeline.host, [*good[:11], poison, *good[11:]])

    shop.settle_down(ventas=30, holds=1)
    failed = archived(shop, pipeline.host)  # or by the worker itself, where the broker was not sure to have it
    assert shop.written() == {UUID(payload["venta_id"]): 1 for payload in good}
    assert (str(failed.venta_id), failed.motivo, failed.estado) == (
        poison["venta_id"],
        MotivoFalla.INTENTOS,
        EstadoFalla.ABIERTA,
    )
    assert failed.mensaje == poison
    assert failed.error
    pipeline.host.wait_empty(FAILED)
    shop.assert_exact(reservado=7_000)


def test_three_attempts_and_then_its_own_queue(pipeline: Pipeline) -> None:
    shop = open_shop()
    before = pipeline.worker.log_text.count("sale cannot be persisted")

    put(pipeline.host, [unknown_cashier(shop)])

    pipeline.host.wait_ready(FAILED, 1)
    assert pipeline.worker.log_text.count("sale cannot be persisted") == before + 3
    message = pipeline.host.take(FAILED)
    assert message is not None
    assert message.headers["retries"] == 3
    assert "IntegrityError" in message.headers["error"]
    pipeline.host.publish(message.body, headers=message.headers, routing_key=topology.SALES_FAILED)
    archived(shop, pipeline.host)


def test_the_hold_of_a_failed_sale_is_kept_and_swept_no_more(pipeline: Pipeline) -> None:
    shop = open_shop()
    poison = unknown_cashier(shop)
    put(pipeline.host, [poison])
    pipeline.host.wait_ready(FAILED, 1)

    failed = archived(shop, pipeline.host)

    wait_until(lambda: shop.holds()[UUID(poison["venta_id"])] == float("inf"), timeout_s=5, what="the sweep lets it be")
    assert failed.con_reserva
    assert not reservation.claim_overdue(
        tienda_id=shop.tienda_id, now_ms=10**15, first_pause_ms=1, longest_pause_ms=1, most=100
    )
    shop.assert_exact(reservado=7_000)


def test_a_sale_that_kills_its_worker_among_good_ones(own_host: VirtualHost, spawn: Spawner) -> None:
    """It dies at every delivery; its neighbours are written one by one, from the front and the back in turn."""
    shop = open_shop(stock=100, precios=("1.00",))
    good = good_sales(shop, 20)
    poison = hold(shop, [(shop.products[0], 66_660)])
    assert poison["total"] == "66.66"
    environment = {"RABBITMQ_URL": own_host.url, "SALES_QUEUE_DELIVERY_LIMIT": "4"}
    spawn.maintenance(environment=environment)
    crashing_worker(spawn, {**environment, "CRASH_TOTAL": "6666"}).wait_ready()

    put(own_host, [*good[:9], poison, *good[9:]])
    wait_until(lambda: len(shop.written()) == 20, timeout_s=30, what="the good ones are written")

    failed = archived(shop, own_host, timeout_s=60)
    assert str(failed.venta_id) == poison["venta_id"]
    assert failed.error == "dead-lettered: delivery_limit"
    assert shop.written() == {UUID(payload["venta_id"]): 1 for payload in good}
    wait_all_archived(own_host)
    shop.assert_exact(reservado=66_660)
