"""How much is in the queues, where the broker is Redis."""

from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection
from pytest_django import Settings

from scripts.services import Services
from tests.polling import wait_until
from ventas import broker, broker_setup, topology

UNUSED_DATABASE = 9


@pytest.fixture
def redis_channel(services: Services, settings: Settings) -> Iterator[Any]:
    """A channel of the Redis transport, on a database where nothing else is."""
    settings.RABBITMQ_URL = services.redis.database_url(UNUSED_DATABASE)
    with Connection(settings.RABBITMQ_URL) as connection, connection.channel() as opened:
        channel: Any = opened  # the stubs know no transport's own attributes
        channel.client.flushdb()
        topology.declare(channel)
        topology.MAINTENANCE_QUEUE(channel).declare()
        yield channel
        channel.client.flushdb()


def counts_the_unfinished() -> bool:
    """Of a queue that was just declared it knows nothing for a moment."""
    try:
        return broker.unfinished_messages() >= 0
    except broker.BrokerAway:
        return False


def take_without_acknowledging(channel: Any, queue: str) -> Any:
    message = channel.basic_get(queue)
    assert message
    return message


def test_a_sale_is_unfinished_until_it_is_acknowledged(redis_channel: Any, settings: Settings) -> None:
    with Connection(settings.RABBITMQ_URL) as connection:
        connection.Producer().publish({}, exchange=topology.SALES_EXCHANGE, routing_key=topology.SALES_CREATED)
    assert broker.unfinished_messages() == 1

    message = take_without_acknowledging(redis_channel, topology.SALES_QUEUE.name)
    assert broker.unfinished_messages() == 1

    message.ack()
    assert broker.unfinished_messages() == 0


def test_the_task_that_asks_is_not_counted(redis_channel: Any, settings: Settings) -> None:
    with Connection(settings.RABBITMQ_URL) as connection:
        queue = topology.MAINTENANCE_QUEUE
        connection.Producer().publish({}, exchange=queue.exchange, routing_key=queue.routing_key)
    take_without_acknowledging(redis_channel, topology.MAINTENANCE_QUEUE.name)

    assert redis_channel.client.hlen("unacked") == 1
    assert broker.unfinished_messages() == 0


def test_an_address_with_escaped_signs_is_read_as_the_client_reads_it(settings: Settings) -> None:
    """amqp://…/%2F is how most people write the first virtual host; a password may hold anything."""
    settings.RABBITMQ_URL = settings.RABBITMQ_URL.replace("blend_pos", "%62lend_pos")
    settings.RABBITMQ_MANAGEMENT_URL = settings.RABBITMQ_MANAGEMENT_URL.replace("blend_pos", "%62lend_pos")
    assert "%62" in settings.RABBITMQ_URL
    assert "%62" in settings.RABBITMQ_MANAGEMENT_URL
    assert broker_setup.vhost() == "blend_pos"
    assert broker.ready_sales_messages() >= 0
    wait_until(counts_the_unfinished, timeout_s=15, what="the management API tells of the queues")
