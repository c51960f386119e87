"""The only module that puts a message on the broker: one connection, every wait bounded, three outcomes.

CONFIRMED: the broker has it. REFUSED: proven that it has not. UNKNOWN: anything else, and then only going forward
is safe. A socket is dropped at the first error; nothing is ever repeated behind the caller's back.
"""

import enum
import os
import select
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from amqp.exceptions import AccessRefused, AMQPError, NotFound
from kombu import Connection
from kombu.exceptions import KombuError

from blend_pos import tracing
from ventas import signatures, topology

CONNECT_TIMEOUT_S = 0.6
IO_TIMEOUT_S = 1.2
HEARTBEAT_S = 10
PAUSE_AFTER_FAILURE_S = 0.5
BROKER_ERRORS = (AMQPError, KombuError, OSError)

PERSIST_TASK = "ventas.persist_sales"
# The body of its message around the sales: Celery's arguments, and nothing to do after it.
BODY_START = b'[[],{"ventas":['
BODY_END = b']},{"callbacks":null,"errbacks":null,"chain":null,"chord":null}]'


class Outcome(enum.Enum):
    """What is known of a message after trying to publish it."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TaskMessage:
    """A call of a task, in Celery's message protocol 2: any Celery worker takes it."""

    body: bytes
    headers: dict[str, Any]
    properties: dict[str, Any]
    exchange: str = topology.SALES_EXCHANGE.name
    routing_key: str = topology.SALES_CREATED


def persist_message(
    payloads: Sequence[bytes],
    *,
    retries: int = 0,
    routing_key: str = topology.SALES_CREATED,
    error: str = "",
    carried: Mapping[str, str] = tracing.NOTHING,
) -> TaskMessage:
    """One message for these sales, each encoded already. `retries` counts the attempts before this one; `carried` is
    what their traces take along."""
    body = BODY_START + b",".join(payloads) + BODY_END
    headers = persist_headers(ventas=str(len(payloads)), retries=retries, carried=carried)
    headers[signatures.HEADER] = signatures.sign(body)
    if error:
        headers["error"] = error[:1000]
    return TaskMessage(body, headers, persist_properties(headers), routing_key=routing_key)


def persist_headers(*, ventas: str, retries: int = 0, carried: Mapping[str, str] = tracing.NOTHING) -> dict[str, Any]:
    """Of a new call, without its signature. `ventas`: how many sales, for people."""
    call_id = str(uuid4())
    headers: dict[str, Any] = {
        "lang": "py",
        "task": PERSIST_TASK,
        "id": call_id,
        "root_id": call_id,
        "parent_id": None,
        "group": None,
        "retries": retries,
        "eta": None,
        "expires": None,
        "timelimit": [None, None],
        "argsrepr": "()",
        "kwargsrepr": f"{{'ventas': {ventas}}}",
        "origin": f"{os.getpid()}@{socket.gethostname()}",
        "ignore_result": True,
    }
    if carried:
        headers[tracing.HEADER] = dict(carried)
    return headers


def persist_properties(headers: Mapping[str, Any]) -> dict[str, Any]:
    """Of the message with these headers."""
    return {"delivery_mode": 2, "correlation_id": headers["id"]}


@dataclass(slots=True)
class _Confirmation:
    """What the broker has said of the one message under way."""

    acked: bool = False
    nacked: bool = False
    returned: bool = False


@dataclass(slots=True)
class AmqpLink:
    """One connection to RabbitMQ for publishing; not shared between threads, and never carried over a fork.

    `url` may name several nodes. Which one takes a message is decided before anything of it is sent, and never after:
    what was sent to a node that fails is UNKNOWN, whatever the next one would say.
    """

    url: str
    _connection: Any = None
    _channel: Any = None
    _said: _Confirmation = field(default_factory=_Confirmation)
    _blocked: bool = False
    _pid: int = 0
    _served: bool = False  # whether this connection has ever had a confirm
    _not_before: float = 0.0
    _node: int = 0

    def send(self, message: TaskMessage, *, deadline: float) -> Outcome:
        """Publish and wait for the confirm until `deadline` (time.monotonic())."""
        if not self._ready(deadline):
            return Outcome.REFUSED
        self._said = _Confirmation()
        try:
            self._channel.basic_publish(
                self._channel.prepare_message(
                    message.body,
                    content_type="application/json",
                    content_encoding="utf-8",
                    headers=message.headers,
                    properties=message.properties,
                ),
                exchange=message.exchange,
                routing_key=message.routing_key,
                mandatory=True,
            )
            while not (self._said.acked or self._said.nacked):
                left = deadline - time.monotonic()
                if left <= 0:
                    self.drop()
                    return Outcome.UNKNOWN
                self._connection.blocking_read(timeout=left)
        except (NotFound, AccessRefused):
            self.drop()  # no exchange, or not for this user: the broker closed the channel and took nothing
            return Outcome.REFUSED
        except BROKER_ERRORS:
            self.drop()
            return Outcome.UNKNOWN
        if self._said.acked and not self._said.returned:
            self._served = True
            return Outcome.CONFIRMED
        if self._said.nacked and not self._served:
            # A channel that was opened while the queue had no leader (its node had just died) refuses for ever.
            self.drop()
            self._not_before = time.monotonic() + PAUSE_AFTER_FAILURE_S
        return Outcome.REFUSED

    def idle(self) -> None:
        """Keep the connection alive while nothing is published; call it every few seconds."""
        if self._connection is None or self._pid != os.getpid():
            return
        try:
            self._read_pending()
            self._connection.heartbeat_tick()
        except BROKER_ERRORS:
            self.drop()

    def drop(self) -> None:
        """Close the socket without a word: a goodbye would wait for a frozen broker."""
        connection, self._connection, self._channel, self._blocked = self._connection, None, None, False
        if connection is not None and self._pid == os.getpid():
            connection.collect()

    def _ready(self, deadline: float) -> bool:
        """A connection that was alive a moment ago and takes messages, or nothing was sent."""
        if self._connection is not None and self._pid != os.getpid():
            self._connection = self._channel = None  # the parent's socket: not ours to close
        try:
            if self._connection is not None:
                self._read_pending()
        except BROKER_ERRORS:
            self.drop()
        now = time.monotonic()
        if self._connection is None:
            if now < self._not_before or now >= deadline:
                return False
            if not self._connect_any(deadline):
                self._not_before = time.monotonic() + PAUSE_AFTER_FAILURE_S
                return False
        return not self._blocked

    def _connect_any(self, deadline: float) -> bool:
        """Connect to the node that served last, or else to the next that does so before the deadline."""
        nodes = topology.each_node(self.url)
        for _ in nodes:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                self._connect(nodes[self._node % len(nodes)], min(CONNECT_TIMEOUT_S, left))
            except BROKER_ERRORS:
                self.drop()
                self._node += 1
            else:
                return True
        return False

    def _connect(self, url: str, timeout_s: float) -> None:
        client = Connection(
            url,
            connect_timeout=timeout_s,
            heartbeat=HEARTBEAT_S,
            transport_options={
                "read_timeout": IO_TIMEOUT_S,
                "write_timeout": IO_TIMEOUT_S,
                "on_blocked": self._on_blocked,
                "on_unblocked": self._on_unblocked,
            },
        )
        self._pid, self._blocked, self._served = os.getpid(), False, False
        self._connection = client.transport.establish_connection()
        self._channel = self._connection.channel()
        topology.declare(self._channel)
        self._channel.confirm_select()
        self._channel.events["basic_ack"].add(self._on_ack)
        self._channel.events["basic_nack"].add(self._on_nack)
        self._channel.events["basic_return"].add(self._on_return)

    def _read_pending(self) -> None:
        """Take in what the broker sent meanwhile: a goodbye, a block, a heartbeat."""
        for _ in range(100):
            readable, _, _ = select.select([self._connection.sock], [], [], 0)
            if not readable:
                return
            self._connection.blocking_read(timeout=IO_TIMEOUT_S)

    def _on_ack(self, *_arguments: Any) -> None:
        self._said.acked = True

    def _on_nack(self, *_arguments: Any) -> None:
        self._said.nacked = True

    def _on_return(self, *_arguments: Any) -> None:
        self._said.returned = True

    def _on_blocked(self, _reason: str) -> None:
        self._blocked = True

    def _on_unblocked(self) -> None:
        self._blocked = False


@dataclass(slots=True)
class UnconfirmedLink:
    """Another kombu transport (Redis): nothing is confirmed, so a message sent is UNKNOWN until its sale is
    persisted."""

    url: str
    _client: Any = None
    _pid: int = 0

    def send(self, message: TaskMessage, *, deadline: float) -> Outcome:
        """Publish; REFUSED only where no connection could be made."""
        try:
            channel = self._open(deadline)
        except BROKER_ERRORS:
            self.drop()
            return Outcome.REFUSED
        try:
            self._client.Producer(channel).publish(
                message.body,
                content_type="application/json",
                content_encoding="utf-8",
                headers=message.headers,
                exchange=message.exchange,
                routing_key=message.routing_key,
                **message.properties,
            )
        except BROKER_ERRORS:
            self.drop()
        return Outcome.UNKNOWN

    def idle(self) -> None:
        """Nothing to keep alive."""

    def drop(self) -> None:
        """Forget the connection."""
        self._client = None

    def _open(self, deadline: float) -> Any:
        if self._client is None or self._pid != os.getpid():
            timeout_s = max(0.05, min(CONNECT_TIMEOUT_S, deadline - time.monotonic()))
            self._client = Connection(
                self.url, transport_options={"socket_connect_timeout": timeout_s, "socket_timeout": IO_TIMEOUT_S}
            )
            self._pid = os.getpid()
            topology.declare(self._client.default_channel)
        return self._client.default_channel


Link = AmqpLink | UnconfirmedLink


def open_link(url: str) -> Link:
    """The link for this broker's URL; it connects when it is first used."""
    return AmqpLink(url) if url.startswith("amqp") else UnconfirmedLink(url)
