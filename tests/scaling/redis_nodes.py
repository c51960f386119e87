"""Three masters of a Redis Cluster on this machine: made, watched, and their slots moved."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import redis
from redis.crc import key_slot

from cache_stock import keys
from scripts.ports import LOOPBACK, free_ports
from scripts.redis_server import Redis
from scripts.services import start_together
from tests.polling import wait_until

NODES = 3
SLOTS = 16_384
SETTINGS = {
    "cluster-enabled": "yes",
    "cluster-node-timeout": "1000",
    "cluster-require-full-coverage": "no",  # else one node that is away stops all
}
PASSWORD = "of-the-cluster"


class Node(Redis):
    """One master."""

    def __init__(self, *, folder: Path, port: int, bus_port: int) -> None:
        settings = {**SETTINGS, "cluster-port": str(bus_port), "masterauth": PASSWORD}
        super().__init__(folder=folder, port=port, password=PASSWORD, settings=settings)
        self.bus_port = bus_port

    def ask(self, *command: str | int) -> object:
        """One command to this very node. Raises a RedisError."""
        with redis.Redis.from_url(self.url, socket_timeout=5, decode_responses=True) as client:
            answer: object = client.execute_command(*command)
            return answer


class Nodes:
    """All of them; each has a third of the slots at first."""

    def __init__(self, *, folder: Path) -> None:
        ports = free_ports(2 * NODES)
        self.each = [
            Node(folder=folder / f"node-{number}", port=ports[number], bus_port=ports[NODES + number])
            for number in range(NODES)
        ]

    @property
    def url(self) -> str:
        """What REDIS_URL is: two of them, the others are found."""
        hosts = ",".join(f"{LOOPBACK}:{node.port}" for node in self.each[:2])
        return f"rediscluster://:{PASSWORD}@{hosts}"

    def start(self) -> None:
        """Start what does not run; the first time they are made a cluster. Returns when each sees it whole."""
        known = all((node.data / "nodes.conf").exists() for node in self.each)
        start_together(self.each)
        if not known:
            self._meet()
        wait_until(lambda: all(map(_sees_it_whole, self.each)), timeout_s=30, what="the cluster is whole")

    def kill(self) -> None:
        for node in self.each:
            node.kill()

    def of(self, tienda_id: UUID) -> Node:
        """The node that has a tienda's keys, as the first that runs says."""
        slot = slot_of(tienda_id)
        ranges = next(node for node in self.each if node.running).ask("CLUSTER SLOTS")
        assert isinstance(ranges, list)
        (port,) = [master[1] for first, last, master, *_replicas in ranges if first <= slot <= last]
        return next(node for node in self.each if node.port == port)

    def others(self, node: Node) -> list[Node]:
        return [each for each in self.each if each is not node]

    def move(self, tienda_id: UUID, *, to: Node, half_way: Callable[[], object] = lambda: None) -> None:
        """Move a tienda's slot as redis-cli does; `half_way`: one key is there, the others are not."""
        slot, source = slot_of(tienda_id), self.of(tienda_id)
        to.ask("CLUSTER", "SETSLOT", slot, "IMPORTING", _id_of(source))
        source.ask("CLUSTER", "SETSLOT", slot, "MIGRATING", _id_of(to))
        _migrate(source, to, _some_keys(source, slot, most=1))
        half_way()
        while names := _some_keys(source, slot, most=100):
            _migrate(source, to, names)
        for node in (to, source, *self.others(to)):
            node.ask("CLUSTER", "SETSLOT", slot, "NODE", _id_of(to))

    @contextmanager
    def replica(self, master: Node, *, folder: Path) -> Iterator[Node]:
        """One more, which would take over from `master`; gone and forgotten at the end."""
        port, bus_port = free_ports(2)
        node = Node(folder=folder / "replica", port=port, bus_port=bus_port)
        node.start()
        own, masters = _id_of(node), _id_of(master)
        try:
            node.ask("CLUSTER", "MEET", LOOPBACK, master.port, master.bus_port)
            wait_until(lambda: masters in str(node.ask("CLUSTER", "NODES")), timeout_s=30, what="they have met")
            node.ask("CLUSTER", "REPLICATE", masters)
            wait_until(
                lambda: all(own in str(each.ask("CLUSTER", "SLOTS")) for each in self.each),
                timeout_s=30,
                what="each node knows of the replica",
            )
            yield node
        finally:
            node.kill()
            for each in self.each:
                each.ask("CLUSTER", "FORGET", own)

    def _meet(self) -> None:
        share = SLOTS // NODES + 1
        for number, node in enumerate(self.each):
            node.ask("CLUSTER", "SET-CONFIG-EPOCH", number + 1)
            node.ask("CLUSTER", "ADDSLOTSRANGE", number * share, min((number + 1) * share, SLOTS) - 1)
            node.ask("CLUSTER", "MEET", LOOPBACK, self.each[0].port, self.each[0].bus_port)


def slot_of(tienda_id: UUID) -> int:
    return int(key_slot(keys.meta(tienda_id).encode()))


def _sees_it_whole(node: Node) -> bool:
    state = str(node.ask("CLUSTER", "INFO"))
    return all(line in state for line in ("cluster_state:ok", f"cluster_slots_ok:{SLOTS}", f"cluster_size:{NODES}"))


def _id_of(node: Node) -> str:
    return str(node.ask("CLUSTER", "MYID"))


def _some_keys(node: Node, slot: int, *, most: int) -> list[str]:
    found = node.ask("CLUSTER", "GETKEYSINSLOT", slot, most)
    assert isinstance(found, list)
    return [str(name) for name in found]


def _migrate(source: Node, to: Node, names: list[str]) -> None:
    source.ask("MIGRATE", LOOPBACK, to.port, "", 0, 5000, "AUTH", PASSWORD, "KEYS", *names)
