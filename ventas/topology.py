"""Exchanges and queues, declared by the application; limits and TTL come from settings."""

from copy import copy
from typing import Any

from django.conf import settings
from kombu import Exchange, Queue, binding

SALES_EXCHANGE = Exchange("blend_events", type="topic", durable=True)
DEAD_LETTER_EXCHANGE = Exchange("blend_events.dlx", type="topic", durable=True)

PARTED_BY = ";"  # the nodes in a RABBITMQ_URL, as Celery parts them, too
SALES_CREATED = "sales.created"
SALES_FAILED = "sales.failed"

SALES_QUEUE = Queue(
    "queue.sales.created",
    exchange=SALES_EXCHANGE,
    routing_key=SALES_CREATED,
    durable=True,
    queue_arguments={
        "x-queue-type": "quorum",
        "x-max-length": settings.SALES_QUEUE_MAX_LENGTH,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": DEAD_LETTER_EXCHANGE.name,
        "x-dead-letter-routing-key": SALES_FAILED,
        "x-dead-letter-strategy": "at-least-once",
        "x-delivery-limit": settings.SALES_QUEUE_DELIVERY_LIMIT,
    },
)
FAILED_QUEUE = Queue(
    "queue.sales.failed",
    bindings=[
        binding(SALES_EXCHANGE, routing_key=SALES_FAILED),
        binding(DEAD_LETTER_EXCHANGE, routing_key=SALES_FAILED),
    ],
    durable=True,
    queue_arguments={"x-queue-type": "quorum", "x-message-ttl": settings.FAILED_QUEUE_TTL_MS},
)
MAINTENANCE_QUEUE = Queue(
    "queue.maintenance",
    exchange=Exchange("blend_maintenance", type="direct", durable=True),
    routing_key="maintenance",
    durable=True,
    # Where it is not named it is classic, and lies on one node of a cluster alone.
    queue_arguments={"x-queue-type": "quorum"} if settings.MAINTENANCE_QUEUE_TYPE == "quorum" else None,
)
QUEUES = (SALES_QUEUE, FAILED_QUEUE, MAINTENANCE_QUEUE)


def each_node(urls: str) -> list[str]:
    """The nodes that a RABBITMQ_URL names, in their order."""
    return urls.split(PARTED_BY)


def _for_celery(queue: Queue) -> Any:
    """As Celery is to know it: it declares what it consumes and publishes to, where this process may."""
    known: Any = copy(queue)  # the stubs know no such switch
    known.no_declare = not settings.RABBITMQ_DECLARES
    return known


# What workers consume; a plain one takes both.
CELERY_QUEUES = (_for_celery(SALES_QUEUE), _for_celery(MAINTENANCE_QUEUE))


def declare(channel: Any) -> None:
    """Declare what sales need; it changes nothing where it is there already, or where this process may not."""
    if not settings.RABBITMQ_DECLARES:
        return
    for queue in (SALES_QUEUE, FAILED_QUEUE):
        queue(channel).declare()
    DEAD_LETTER_EXCHANGE(channel).declare()


def declare_all(channel: Any) -> None:
    """Declare everything there is, whatever the setting says: for whoever sets a broker up."""
    DEAD_LETTER_EXCHANGE(channel).declare()
    for queue in QUEUES:
        queue(channel).declare()
