"""RabbitMQ as its operator sees it: virtual hosts, queues, alarms."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import orjson
import urllib3
from kombu import Connection

from scripts.binaries import rabbitmq_server
from scripts.rabbit_server import NODE, Rabbit
from tests.polling import wait_until
from ventas import broker, topology

SALES = topology.SALES_QUEUE.name
FAILED = topology.FAILED_QUEUE.name
IO_S = 5.0


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """One virtual host: its exchanges and queues are nobody else's."""

    rabbit: Rabbit
    name: str

    @property
    def url(self) -> str:
        return urlsplit(self.rabbit.url)._replace(path=f"/{self.name}").geturl()

    def create(self) -> None:
        manage(self.rabbit, "PUT", f"vhosts/{self.name}", body={})
        user = urlsplit(self.rabbit.url).username
        everything = {"configure": ".*", "write": ".*", "read": ".*"}
        manage(self.rabbit, "PUT", f"permissions/{self.name}/{user}", body=everything)

    def delete(self) -> None:
        manage(self.rabbit, "DELETE", f"vhosts/{self.name}")

    def run(self, task: Any) -> None:
        """Have the maintenance worker of this virtual host run a task, as beat does."""
        with Connection(self.url, connect_timeout=IO_S) as connection:
            task.apply_async(connection=connection)

    @contextmanager
    def channel(self) -> Iterator[Any]:
        """A channel of a connection of its own; a refusal closes both."""
        client = Connection(self.url, connect_timeout=IO_S, transport_options={"read_timeout": IO_S})
        connection = client.transport.establish_connection()
        try:
            yield connection.channel()
        finally:
            connection.collect()

    def declare(self) -> None:
        """As the application does."""
        with self.channel() as channel:
            topology.declare(channel)

    def ready(self, queue: str) -> int:
        """Messages that wait in a queue; unacknowledged ones are not counted."""
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)

    def in_hand(self, queue: str) -> int:
        """Its messages that are ready or unacknowledged, as the broker last counted them."""
        (state,) = (each for each in self.counted() if each["name"] == queue)
        return int(state["messages_ready"]) + int(state["messages_unacknowledged"])

    def counted(self) -> list[dict[str, Any]]:
        """Its queues, with what each counted last."""
        found: list[dict[str, Any]] = manage(self.rabbit, "GET", f"queues/{self.name}{broker.AS_COUNTED}")
        return found

    def consumers(self, queue: str) -> int:
        with self.channel() as channel:
            return int(channel.queue_declare(queue, passive=True).consumer_count)

    def purge(self) -> None:
        """Empty the sales queues of what earlier tests left."""
        with self.channel() as channel:
            topology.declare(channel)
            for queue in (SALES, FAILED):
                channel.queue_purge(queue)

    def delete_exchange(self, exchange: str) -> None:
        with self.channel() as channel:
            channel.exchange_delete(exchange)

    @contextmanager
    def policy(self, queue: str, definition: dict[str, Any]) -> Iterator[None]:
        """Limits on top of those that the application declared."""
        path = f"policies/{self.name}/for-a-test"
        body = {"pattern": f"^{queue}$", "definition": definition, "apply-to": "queues"}
        manage(self.rabbit, "PUT", path, body=body)
        try:
            yield
        finally:
            manage(self.rabbit, "DELETE", path)

    def close_connection(self, port: int) -> None:
        """Close the connection that comes from this port, from the broker's side."""

        def closed() -> bool:
            """The management plugin hears of connections with some delay."""
            for connection in manage(self.rabbit, "GET", f"vhosts/{self.name}/connections"):
                if connection.get("peer_port") == port:
                    manage(self.rabbit, "DELETE", f"connections/{connection['name']}")
                    return True
            return False

        wait_until(closed, timeout_s=10, what="the connection is closed")

    def publish(self, body: bytes, *, routing_key: str = topology.SALES_CREATED, **properties: Any) -> None:
        """Put any body on the sales exchange, confirmed."""
        self.publish_all([(body, properties)], routing_key=routing_key)

    def publish_all(
        self, messages: Sequence[tuple[bytes, dict[str, Any]]], *, routing_key: str = topology.SALES_CREATED
    ) -> None:
        """Put messages on the sales exchange, each with its properties, each confirmed."""
        with self.channel() as channel:
            channel.confirm_select()
            for body, properties in messages:
                other = dict(properties)
                message = channel.prepare_message(
                    body,
                    content_type=other.pop("content_type", "application/json"),
                    content_encoding=other.pop("content_encoding", "utf-8"),
                    headers=other.pop("headers", {}),
                    properties={"delivery_mode": 2, **other},
                )
                channel.basic_publish_confirm(message, exchange=topology.SALES_EXCHANGE.name, routing_key=routing_key)

    def take(self, queue: str) -> Any | None:
        """Take one message off a queue, or None."""
        with self.channel() as channel:
            return channel.basic_get(queue, no_ack=True)

    def wait_ready(self, queue: str, messages: int, *, timeout_s: float = 10) -> None:
        wait_until(lambda: self.ready(queue) >= messages, timeout_s=timeout_s, what=f"{messages} messages in {queue}")

    def sales(self) -> list[dict[str, Any]]:
        """Take all messages off the sales queue; the sales in them, in order."""
        found: list[dict[str, Any]] = []
        with self.channel() as channel:
            while (message := channel.basic_get(SALES, no_ack=True)) is not None:
                found += orjson.loads(message.body)[1]["ventas"]
        return found

    def wait_empty(self, queue: str = SALES, *, timeout_s: float = 30) -> None:
        wait_until(lambda: self.ready(queue) == 0, timeout_s=timeout_s, what=f"{queue} is empty")


def default_host(rabbit: Rabbit) -> VirtualHost:
    """The one that the tests' own settings name."""
    return VirtualHost(rabbit, urlsplit(rabbit.url).path[1:])


def manage(rabbit: Rabbit, method: str, path: str, *, body: object = None) -> Any:
    """One request to its management API, which must take it."""
    url = urlsplit(rabbit.management_url)
    headers = urllib3.make_headers(basic_auth=f"{url.username}:{url.password}")
    headers["content-type"] = "application/json"
    with urllib3.PoolManager() as pool:
        answer = pool.request(
            method,
            f"http://{url.hostname}:{url.port}/api/{quote(path, safe='/?=&')}",
            body=None if body is None else orjson.dumps(body),
            headers=headers,
            timeout=10,
        )
    assert answer.status < 300, f"{method} {path}: {answer.status} {answer.data!r}"
    return orjson.loads(answer.data) if answer.data else None


def control(rabbit: Rabbit, *command: str) -> str:
    """rabbitmqctl, at this private broker."""
    program = rabbitmq_server().with_name("rabbitmqctl")
    done = subprocess.run(
        [str(program), "--longnames", "--node", NODE, *command],
        env=rabbit.environment(),
        cwd=rabbit.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def disk_alarm(rabbit: Rabbit) -> Iterator[None]:
    """The broker believes that its disk is nearly full: whoever publishes is blocked."""
    control(rabbit, "set_disk_free_limit", "1000000GB")
    try:
        yield
    finally:
        control(rabbit, "set_disk_free_limit", "50MB")


@contextmanager
def memory_alarm(rabbit: Rabbit) -> Iterator[None]:
    """The broker believes that its memory is used up: whoever publishes is blocked."""
    control(rabbit, "set_vm_memory_high_watermark", "0.00001")
    try:
        yield
    finally:
        control(rabbit, "set_vm_memory_high_watermark", "0.6")
