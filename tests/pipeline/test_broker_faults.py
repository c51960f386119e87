"""The broker away, frozen, blocked, full, without its exchange: every answer in time, and true."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from http import HTTPStatus
from uuid import uuid4

import pytest
from django.conf import settings

from scripts.ports import free_port
from scripts.services import Services
from tests.pipeline.processes import Pipeline
from tests.pipeline.rabbit import FAILED, SALES, VirtualHost, memory_alarm
from tests.pipeline.shop import open_shop
from tests.pipeline.till import by_status, wait_for_answers
from tests.pipeline.truth import assert_true_answers
from tests.polling import wait_until
from tests.spawning import Spawner
from ventas import topology

Fault = Callable[[Services], AbstractContextManager[None]]


@contextmanager
def stopped(services: Services) -> Iterator[None]:
    services.rabbit.stop()
    yield
    services.rabbit.start()


@contextmanager
def killed(services: Services) -> Iterator[None]:
    services.rabbit.kill()
    yield
    services.rabbit.start()


@contextmanager
def frozen(services: Services) -> Iterator[None]:
    services.rabbit.freeze()
    yield
    services.rabbit.thaw()


@contextmanager
def blocked(services: Services) -> Iterator[None]:
    with memory_alarm(services.rabbit):
        yield


@pytest.mark.parametrize("fault", [stopped, killed, frozen, blocked])
def test_sales_go_on_through(fault: Fault, pipeline: Pipeline, services: Services) -> None:
    shop = open_shop(stock=5000)
    till = pipeline.till(shop)
    with till.selling([[(producto, 1)] for producto in shop.products]) as sold:
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED)
        with fault(services):
            wait_for_answers(sold, 15)
            during = len(sold)
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED)

    assert any(one.status != HTTPStatus.CREATED for one in sold[:during])  # it was felt
    shop.come_to_rest(pipeline.host)
    assert_true_answers(shop, till, sold)
    assert pipeline.host.ready(FAILED) == 0
    assert not shop.fallidas()


def test_a_worker_misses_the_heartbeats_of_a_broker_that_stands_still(
    own_host: VirtualHost, services: Services, spawn: Spawner
) -> None:
    """One that waits for the frozen broker's answer, to anything at all, does not come to count its heartbeats."""
    worker = spawn.worker(environment={"RABBITMQ_URL": own_host.url})
    worker.wait_ready()
    with frozen(services):
        wait_until(
            lambda: "Connection to broker lost" in worker.log_text,
            timeout_s=4 * settings.CELERY_BROKER_HEARTBEAT,
            what="the worker looks for another",
        )


@pytest.mark.parametrize("exchange", [topology.SALES_EXCHANGE.name, topology.DEAD_LETTER_EXCHANGE.name])
def test_an_exchange_deleted(exchange: str, pipeline: Pipeline) -> None:
    shop = open_shop(stock=5000)
    till = pipeline.till(shop)
    with till.selling([[(producto, 1)] for producto in shop.products]) as sold:
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED)
        pipeline.host.delete_exchange(exchange)
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED)

    shop.come_to_rest(pipeline.host)
    assert_true_answers(shop, till, sold)


def test_a_full_queue(own_host: VirtualHost, spawn: Spawner) -> None:
    """RabbitMQ refuses what is over the limit: nothing is promised, the stock is back at once."""
    shop = open_shop(stock=5000)
    full = Pipeline(own_host, spawn, {"RABBITMQ_URL": own_host.url, "SALES_QUEUE_MAX_LENGTH": "5"})
    till = full.till(shop)
    with till.selling([[(producto, 1)] for producto in shop.products]) as sold:
        wait_for_answers(sold, 10, status=HTTPStatus.SERVICE_UNAVAILABLE)
    taken, refused = (
        by_status(sold).get(status, []) for status in (HTTPStatus.CREATED, HTTPStatus.SERVICE_UNAVAILABLE)
    )
    assert len(taken) >= 5
    assert len(taken) + len(refused) == len(sold)
    assert shop.holds().keys() == set(taken)  # before any worker: what was refused holds nothing
    assert {one.reply.body["codigo"] for one in sold if one.status == HTTPStatus.SERVICE_UNAVAILABLE} == {
        "cola_no_disponible"
    }
    again = till.sell([(shop.products[0], 1)], key=refused[0])
    assert again.status == HTTPStatus.SERVICE_UNAVAILABLE

    assert full.worker.running
    own_host.wait_empty(SALES)
    shop.settle_down(ventas=len(taken))

    assert_true_answers(shop, till, sold)
    assert till.sell([(shop.products[0], 1)], key=refused[0]).status == HTTPStatus.CREATED
    shop.settle_down(ventas=len(taken) + 1)
    shop.assert_exact()


def test_the_worker_asks_a_broker_that_is_away_at_a_steady_pace(pipeline: Pipeline, services: Services) -> None:
    """Celery's pauses grow: after some minutes without a broker nobody would consume for half a minute more."""
    worker = pipeline.worker
    before = len(worker.log_text)

    def asked() -> str:
        told = worker.log_text[before:]
        return told if "in 2.00 seconds... (4/" in told else ""

    with killed(services):
        told = wait_until(asked, timeout_s=30, what="it has asked four times")
        assert told.count("Trying again") == told.count("Trying again in 2.00 seconds")
    shop, key = open_shop(), uuid4()

    def sold() -> bool:
        return pipeline.till(shop).sell([(shop.products[0], 1)], key=key).status == HTTPStatus.CREATED

    wait_until(sold, timeout_s=10, what="it is sold")
    shop.settle_down(ventas=1)


def test_nobody_bound_to_the_exchange(pipeline: Pipeline) -> None:
    """A message that goes nowhere comes back: it is refused, not lost."""
    shop = open_shop()
    till = pipeline.till(shop)
    assert till.sell([(shop.products[0], 1)]).status == HTTPStatus.CREATED
    shop.settle_down(ventas=1)
    with pipeline.host.channel() as channel:
        channel.queue_unbind(SALES, topology.SALES_EXCHANGE.name, topology.SALES_CREATED)

    sold = till.sell([(shop.products[0], 1)])

    assert (sold.status, sold.reply.body["codigo"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "cola_no_disponible")
    shop.assert_exact()
    with pipeline.host.channel() as channel:
        topology.declare(channel)
    assert till.sell([(shop.products[0], 1)]).status == HTTPStatus.CREATED
    shop.settle_down(ventas=2)


def test_a_worker_that_never_met_its_broker_ends_in_good_order(spawn: Spawner) -> None:
    worker = spawn.worker(environment={"RABBITMQ_URL": f"amqp://127.0.0.1:{free_port()}//"})
    wait_until(lambda: "Trying again" in worker.log_text, timeout_s=30, what="it has asked")
    worker.stop()
    assert "Traceback" not in worker.log_text
    assert "AttributeError" not in worker.log_text
