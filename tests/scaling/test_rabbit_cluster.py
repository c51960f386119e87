"""Three RabbitMQs, one of them killed in mid-sale: what was promised is written once, and sales go on."""

import os
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus

import pytest
from django.db import connection, connections
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from blend_pos.tiendas.models import Tienda
from scripts.rabbit_server import VIRTUAL_HOST
from tests.conftest import ENVIRONMENT, SERVICES
from tests.pipeline.processes import QUICK, Pipeline
from tests.pipeline.rabbit import SALES, VirtualHost
from tests.pipeline.shop import Shop, open_shop
from tests.pipeline.till import wait_for_answers
from tests.pipeline.truth import assert_true_answers
from tests.polling import wait_until
from tests.scaling.rabbit_nodes import NAMES, Node, RabbitNodes
from tests.spawning import Spawner
from ventas import broker
from ventas.publisher import AmqpLink, Outcome, persist_message

QUEUES = (SALES, "queue.sales.failed", "queue.maintenance")
pytestmark = pytest.mark.timeout(240)  # three brokers start, and start again
PAUSE_S = 10.0  # the longest in which nobody is promised anything
FROZEN_S = 35.0  # the others miss it for net_ticktime and a quarter, the worker for two heartbeats and a half
BACK_S = 60.0
COUNTED_S = 30.0  # a tick of the queue and a sample of the management plugin, on a machine with more to do


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNodes]:
    found = RabbitNodes(folder=tmp_path_factory.mktemp("rabbits"))
    found.start()
    yield found
    found.kill()


@pytest.fixture(scope="module")
def _on_three(
    nodes: RabbitNodes,
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Pipeline]:
    with django_db_blocker.unblock():
        Tienda.objects.update(is_active=False)
        database = SERVICES.postgres.database_url(connection.settings_dict["NAME"])
        connections.close_all()
    environment = {**os.environ, **ENVIRONMENT, **QUICK, "DATABASE_URL": database}
    environment |= {"RABBITMQ_URL": nodes.url, "RABBITMQ_MANAGEMENT_URL": nodes.management_url}
    environment["MAINTENANCE_QUEUE_TYPE"] = "quorum"
    spawner = Spawner(folder=tmp_path_factory.mktemp("three"), environment=environment)
    spawner.beat()
    yield Pipeline(VirtualHost(nodes.each[0], VIRTUAL_HOST), spawner)
    spawner.end_all()


@pytest.fixture
def pipeline(_on_three: Pipeline, nodes: RabbitNodes, live_db: None) -> Pipeline:
    """The product's processes, with three nodes to go to."""
    nodes.start()  # those that the test before has killed; behind the last one nobody needs them
    _on_three.start()
    return _on_three


def come_to_rest(shop: Shop) -> None:
    """Beat has maintenance sweep, in a process of its own: this one takes the maintenance queue for a classic one."""
    wait_until(lambda: not shop.holds(), timeout_s=BACK_S, what="every hold is settled")


def counted() -> bool:
    try:
        return broker.unfinished_messages() >= 0
    except broker.BrokerAway:
        return False


def leader(nodes: RabbitNodes) -> Node:
    return nodes.leader_of(SALES)


def follower(nodes: RabbitNodes) -> Node:
    return next(node for node in nodes.each if node is not leader(nodes))


@pytest.mark.parametrize("choose", [leader, follower])
def test_a_node_killed_in_mid_sale(
    choose: Callable[[RabbitNodes], Node], pipeline: Pipeline, nodes: RabbitNodes
) -> None:
    shop = open_shop(stock=5000)
    with pipeline.till(shop).selling([[(producto, 1)] for producto in shop.products]) as sold:
        wait_for_answers(sold, 30, status=HTTPStatus.CREATED)
        choose(nodes).kill()
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED, timeout_s=PAUSE_S)
        written = len(shop.written())
        shop.settle_down(ventas=written + 20, holds=len(sold), timeout_s=BACK_S)  # the worker has found another, too
        nodes.start()
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED, timeout_s=BACK_S)
    come_to_rest(shop)
    assert_true_answers(shop, pipeline.till(shop), sold)


def test_a_frozen_leader_is_given_up_by_web_and_worker(pipeline: Pipeline, nodes: RabbitNodes) -> None:
    shop = open_shop(stock=5000)
    with pipeline.till(shop).selling([[(producto, 1)] for producto in shop.products]) as sold:
        wait_for_answers(sold, 30, status=HTTPStatus.CREATED)
        frozen, started = leader(nodes), time.monotonic()
        frozen.freeze()
        try:
            wait_for_answers(sold, 20)  # of those that were under way
            written = len(shop.written())
            wait_for_answers(sold, 20, status=HTTPStatus.CREATED, timeout_s=FROZEN_S)
            promised_s = time.monotonic() - started
            shop.settle_down(ventas=written + 20, holds=len(sold), timeout_s=FROZEN_S)
        finally:
            frozen.thaw()
        print(f"promised again after {promised_s:.0f} s, written again after {time.monotonic() - started:.0f} s")
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED, timeout_s=PAUSE_S)
        frozen.kill()  # one that woke may stay apart from the others until it starts anew
        nodes.start()
    come_to_rest(shop)
    assert_true_answers(shop, pipeline.till(shop), sold)


def test_without_a_majority_nothing_is_promised(pipeline: Pipeline, nodes: RabbitNodes) -> None:
    shop = open_shop(stock=5000)
    with pipeline.till(shop).selling([[(producto, 1)] for producto in shop.products]) as sold:
        wait_for_answers(sold, 10, status=HTTPStatus.CREATED)
        for node in nodes.each[:2]:
            node.kill()
        wait_for_answers(sold, 20)  # of those that were under way
        seen = len(sold)
        wait_for_answers(sold, 20)
        assert {one.status for one in sold[seen:]} <= {HTTPStatus.ACCEPTED, HTTPStatus.SERVICE_UNAVAILABLE}
        nodes.start()
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED, timeout_s=BACK_S)
    come_to_rest(shop)
    assert_true_answers(shop, pipeline.till(shop), sold)


def test_each_queue_is_on_every_node(pipeline: Pipeline, nodes: RabbitNodes) -> None:
    def everywhere() -> bool:
        return all(nodes.members_of(queue) == set(NAMES) for queue in QUEUES)

    wait_until(everywhere, timeout_s=BACK_S, what="each node has all of them")  # one may have been killed before


def test_who_asks_or_publishes_finds_the_next_node(pipeline: Pipeline, nodes: RabbitNodes) -> None:
    message = persist_message([])
    with override_settings(RABBITMQ_URL=nodes.url, RABBITMQ_MANAGEMENT_URL=nodes.management_url):
        nodes.each[0].kill()
        link = AmqpLink(nodes.url)
        wait_until(  # a queue that was led there is led anew
            lambda: link.send(message, deadline=time.monotonic() + 2) is Outcome.CONFIRMED,
            timeout_s=PAUSE_S,
            what="the next node takes it",
        )
        link.drop()
        assert broker.ready_sales_messages() >= 0
        wait_until(counted, timeout_s=COUNTED_S, what="the management API of another node knows the queue's new leader")
        for node in nodes.each:
            node.kill()
        started = time.monotonic()
        assert AmqpLink(nodes.url).send(message, deadline=started + 2) is Outcome.REFUSED
        assert time.monotonic() - started < 2
        with pytest.raises(broker.BrokerAway):
            broker.unfinished_messages()
