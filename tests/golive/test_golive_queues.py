"""manage.py golive_check: queues that lose what they take, as they were made, by a policy, or for want of a binding."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from kombu import Connection, Queue

from tests.conftest import SERVICES
from tests.golive.open_shop import OpenShop, Report
from tests.pipeline.rabbit import VirtualHost, manage
from tests.polling import wait_until
from ventas import topology

FAILED, SALES = topology.FAILED_QUEUE.name, topology.SALES_QUEUE.name

pytestmark = pytest.mark.timeout(300)


@contextmanager
def another_host() -> Iterator[VirtualHost]:
    """One that nobody mends meanwhile."""
    host = VirtualHost(SERVICES.rabbit, f"golive-{uuid4().hex[:8]}")
    host.create()
    try:
        yield host
    finally:
        host.delete()


@contextmanager
def policy(host: VirtualHost, queue: str, definition: dict[str, Any]) -> Iterator[None]:
    """One that RabbitMQ tells of, which takes it some seconds."""

    def told() -> dict[str, Any]:
        return manage(host.rabbit, "GET", f"queues/{host.name}/{queue}").get("effective_policy_definition") or {}

    with host.policy(queue, definition):
        wait_until(lambda: told() == definition, timeout_s=30, what="the policy is told")
        yield
    wait_until(lambda: told() == {}, timeout_s=30, what="the policy is gone")


def asked_of(shop: OpenShop, host: VirtualHost) -> Report:
    """What it says of that one, where the command itself may declare nothing."""
    return shop.check("--no-sale", environment={"RABBITMQ_URL": host.url, "RABBITMQ_DECLARES": "false"})


def test_queues_that_somebody_made_by_hand_are_not_ours(open_shop: OpenShop) -> None:
    with another_host() as other:
        with Connection(other.url) as connection:
            Queue(SALES, durable=True)(connection.default_channel).declare()
        found = open_shop.check("--no-sale", environment={"RABBITMQ_URL": other.url})

    said = found.said("rabbitmq.sales_queue")
    assert {"rabbitmq.sales_queue", "rabbitmq.failed_queue", "rabbitmq.workers"} <= found.failed
    for wanted in ("x-max-length es None", "x-overflow", "x-dead-letter-exchange", "x-queue-type", "delete_queue"):
        assert wanted in said


POLICIES: dict[str, tuple[str, dict[str, Any], str]] = {
    "failed sales are dropped": (FAILED, {"max-length": 1, "overflow": "drop-head"}, "rabbitmq.failed_queue"),
    "sales grow old": (SALES, {"message-ttl": 1}, "rabbitmq.sales_queue"),
    "the dead go elsewhere": (SALES, {"dead-letter-exchange": "amq.fanout"}, "rabbitmq.sales_queue"),
}


@pytest.mark.parametrize("what", POLICIES)
def test_a_policy_that_changes_what_a_queue_keeps_is_said(open_shop: OpenShop, what: str) -> None:
    queue, definition, key = POLICIES[what]
    with policy(open_shop.host, queue, definition):
        found = open_shop.check("--no-sale")

    assert found.failed == {key}, found.text
    assert all(name in found.lines[key]["seen"] for name in definition)
    assert "for-a-test" in found.lines[key]["todo"]
    assert "clear_policy" in found.lines[key]["todo"]


def test_a_policy_that_changes_nothing_of_that_is_fine(open_shop: OpenShop) -> None:
    same = {"overflow": "reject-publish", "queue-leader-locator": "balanced"}
    with policy(open_shop.host, SALES, same):
        found = open_shop.check("--no-sale")

    assert found.failed == set(), found.text


def test_a_queue_that_nothing_is_routed_to_is_said(open_shop: OpenShop) -> None:
    with another_host() as other:
        with other.channel() as channel:
            topology.declare_all(channel)
            for exchange in (topology.SALES_EXCHANGE.name, topology.DEAD_LETTER_EXCHANGE.name):
                channel.queue_unbind(FAILED, exchange, topology.SALES_FAILED)
        found = asked_of(open_shop, other)

    assert "rabbitmq.failed_queue" in found.failed
    assert {"rabbitmq.sales_queue", "rabbitmq.maintenance_queue"}.isdisjoint(found.failed)
    for said in ("sales.failed de blend_events;", "sales.failed de blend_events.dlx", "broker_setup"):
        assert said in found.said("rabbitmq.failed_queue")


def test_an_argument_that_nobody_declares_is_said(open_shop: OpenShop) -> None:
    with another_host() as other:
        body = {"durable": True, "arguments": {**(topology.SALES_QUEUE.queue_arguments or {}), "x-message-ttl": 1000}}
        manage(SERVICES.rabbit, "PUT", f"queues/{other.name}/{SALES}", body=body)
        found = asked_of(open_shop, other)

    assert "sobra x-message-ttl" in found.said("rabbitmq.sales_queue")
    assert "delete_queue" in found.said("rabbitmq.sales_queue")
