"""What lies in the queues: how much, whether all of it is done, and the failed sales themselves."""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from django.conf import settings
from kombu import Connection
from kombu.exceptions import ChannelError

from ventas import topology
from ventas.publisher import BROKER_ERRORS

TIMEOUT_S = 2.0
FAILED_AT_ONCE = 200
# What each queue counted itself, every tick. Without these words the management plugin tells its samples, and one that
# came early, as while the clock is put right, may stay its answer until the number is another (docs/adr/0047).
AS_COUNTED = "?disable_stats=true&enable_queue_totals=true"
SALES_EXCHANGES = (topology.SALES_EXCHANGE.name, topology.DEAD_LETTER_EXCHANGE.name)


class BrokerAway(Exception):
    """The broker, or what tells its state, does not answer."""


@dataclass(frozen=True, slots=True)
class FailedMessage:
    """One message of queue.sales.failed, to be acknowledged once it is kept."""

    body: bytes
    headers: dict[str, Any]
    raw: Any

    def acknowledge(self) -> None:
        """It is kept: take it off the queue."""
        self.raw.ack()


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages that wait in a queue, unacknowledged ones left out, and how many workers take from it."""

    messages: int
    consumers: int


@contextmanager
def _channel(*, declares: bool = True) -> Iterator[Any]:
    """A channel of a connection of its own, every wait bounded."""
    options: dict[str, Any] = {"read_timeout": TIMEOUT_S, "write_timeout": TIMEOUT_S}
    if not settings.RABBITMQ_URL.startswith("amqp"):
        options = {"socket_connect_timeout": TIMEOUT_S, "socket_timeout": TIMEOUT_S}
    connection = None
    try:
        client, connection = _open(options)
        channel = client.transport.create_channel(connection)
        if declares:
            topology.declare(channel)
        yield channel
    except BROKER_ERRORS as error:
        raise BrokerAway(str(error)) from error
    finally:
        if connection is not None and hasattr(connection, "collect"):
            connection.collect()


def _open(options: dict[str, Any]) -> tuple[Connection, Any]:
    """Connected to the first node that answers. Raises one of BROKER_ERRORS, of the last."""
    *others, last = topology.each_node(settings.RABBITMQ_URL)
    for url in others:
        with suppress(*BROKER_ERRORS):
            return _open_one(url, options)
    return _open_one(last, options)


def _open_one(url: str, options: dict[str, Any]) -> tuple[Connection, Any]:
    client = Connection(url, connect_timeout=TIMEOUT_S, transport_options=options)
    return client, client.transport.establish_connection()


def ready_sales_messages() -> int:
    """Messages that wait in queue.sales.created. Raises BrokerAway."""
    with _channel() as channel:
        return _depth(channel, topology.SALES_QUEUE.name).messages


def depths() -> dict[str, Depth]:
    """Each of the application's queues, without "queue." before its name; every user of the broker may ask. From one
    that nobody has declared yet nobody takes. Raises BrokerAway."""
    found = {}
    with _channel() as first:
        channel, connection = first, first.connection
        for queue in topology.QUEUES:
            name = queue.name.removeprefix("queue.")
            try:
                found[name] = _depth(channel, queue.name)
            except ChannelError:  # the broker has closed the channel
                found[name] = Depth(0, 0)
                channel = connection.channel() if hasattr(connection, "channel") else channel
    return found


def _depth(channel: Any, queue: str) -> Depth:
    declared = channel.queue_declare(queue, passive=True)
    return Depth(int(declared.message_count), int(declared.consumer_count))


def depth_of(queue: str) -> Depth:
    """One queue by its name, as it is: nothing is declared for it. Raises BrokerAway, also where it is not there."""
    with _channel(declares=False) as channel:
        return _depth(channel, queue)


@contextmanager
def failed_messages() -> Iterator[list[FailedMessage]]:
    """At most FAILED_AT_ONCE messages of queue.sales.failed; those not acknowledged in the block go back. Raises
    BrokerAway."""
    with _channel() as channel:
        messages = []
        for _ in range(FAILED_AT_ONCE):
            raw = channel.basic_get(topology.FAILED_QUEUE.name)
            if raw is None:
                break
            message = raw if hasattr(raw, "ack") else channel.message_to_python(raw)
            body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
            messages.append(FailedMessage(body, dict(message.headers or {}), message))
        yield messages


def unfinished_messages() -> int:
    """Messages of the sales queues: ready, unacknowledged, or on their way to the failed ones; as the broker last
    counted them. Raises BrokerAway."""
    if settings.RABBITMQ_URL.startswith("amqp"):
        return _messages_in(topology.SALES_QUEUE.name, topology.FAILED_QUEUE.name)
    with _channel() as channel:
        client = channel.client
        ready = sum(int(client.llen(queue.name)) for queue in (topology.SALES_QUEUE, topology.FAILED_QUEUE))
        # [message, exchange, routing key]. The maintenance queue's are there too, the asking task's own among them.
        unacknowledged = [json.loads(entry)[1] for entry in client.hvals("unacked")]
        return ready + sum(exchange in SALES_EXCHANGES for exchange in unacknowledged)


def _messages_in(*queues: str) -> int:
    """Ready, unacknowledged or being dead-lettered. Neither a queue that the answer leaves out is taken for empty, nor
    one that its node has not counted since it started: that one says 0 itself, and of it no sample has a number."""
    sampled = [managed(queue) for queue in queues]
    listed = _asked(AS_COUNTED)
    try:
        counts = [(queue["name"], int(queue["messages"])) for queue in listed if queue["name"] in queues]
        complete = {name for name, _messages in counts} == set(queues) and all("messages" in one for one in sampled)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise BrokerAway(f"management API: {error!r}") from error
    if not complete:
        raise BrokerAway("management API: it has not counted every queue yet")
    return sum(messages for _name, messages in counts)


def managed(queue: str) -> dict[str, Any]:
    """One queue by RabbitMQ's management API: only it tells unacknowledged messages, how a queue was declared, and
    which policies change that. Raises BrokerAway."""
    state: dict[str, Any] = _asked(f"/{queue}")
    return state


def bindings_of(queue: str) -> set[tuple[str, str]]:
    """(exchange, routing key) of what is routed to a queue. Raises BrokerAway."""
    try:
        return {(binding["source"], binding["routing_key"]) for binding in _asked(f"/{queue}/bindings")}
    except (LookupError, TypeError) as error:
        raise BrokerAway(f"management API: {error}") from error


def _asked(path: str) -> Any:
    """What the first node that answers says at /api/queues/VHOST and `path`. Raises BrokerAway."""
    *others, last = topology.each_node(settings.RABBITMQ_MANAGEMENT_URL)
    for url in others:
        with suppress(BrokerAway):
            return _asked_at(url, path)
    return _asked_at(last, path)


def _asked_at(management_url: str, path: str) -> Any:
    try:
        url = urlsplit(management_url)
        host = f"{url.hostname}:{url.port or 15672}"
        vhost = unquote(urlsplit(topology.each_node(settings.RABBITMQ_URL)[0]).path[1:]) or "/"
        request = urllib.request.Request(f"{url.scheme}://{host}/api/queues/{quote(vhost, safe='')}{path}")
        credentials = f"{unquote(url.username or '')}:{unquote(url.password or '')}"
        request.add_header("Authorization", f"Basic {base64.b64encode(credentials.encode()).decode()}")
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as response:
            return json.load(response)
    except (OSError, ValueError, HTTPException) as error:
        # Of the others the text may be a piece of the address, or whatever somebody else's server says.
        tellable = isinstance(error, OSError | json.JSONDecodeError)
        raise BrokerAway(f"management API: {error if tellable else type(error).__name__}") from error
