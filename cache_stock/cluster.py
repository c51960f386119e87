"""The stock on a Redis Cluster: a command goes to the node that has its tienda, and is sent there once.

REDIS_URL is `rediscluster://:password@host:port,host:port` (`redisclusters://` over TLS): nodes that can be asked which
node has what. Keys carry their tienda's hash tag, so a command, a script or a SCAN concerns one node.

MOVED is followed: the node says that it has not run the command and who has the slot, so sending it there is no
repetition. ASK and TRYAGAIN are not: nothing was run, the slot is between two nodes, and half a tienda is neither armed
nor sold from. What a node did not answer is never sent again; which node has what is then looked up anew.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, ClassVar
from urllib.parse import SplitResult, urlsplit

from redis.commands import CoreCommands
from redis.crc import key_slot
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MovedError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from blend_pos.redis_client import OnceClient
from cache_stock.connection import StockConnectionFactory, StockUnreachable

SCHEMES = {"rediscluster": "redis", "redisclusters": "rediss"}
SLOTS = 16_384
REDIRECTIONS = 3
LOOK_S = 0.5  # no second node is asked for the map after so long
LOOK_AGAIN_S = 1.0

Address = tuple[str, int]


class NoTienda(RedisError):
    """A command without a tienda's hash tag, not sent: it would be one node's at random."""


def key_of(command: Sequence[Any]) -> str:
    """The key that says which node a command is for. Raises NoTienda."""
    name = command[0]
    at = 3 if name in ("EVAL", "EVALSHA", "SCAN") else 1  # behind the number of keys, or SCAN 0 MATCH
    key = str(command[at]) if len(command) > at else ""
    if "{" not in key:
        raise NoTienda(f"{name} {key}: names no tienda")
    return key


class Slots:
    """Which node has which slot, as the cluster said last."""

    def __init__(self, seeds: Sequence[Address], connect: Callable[[Address], OnceClient]) -> None:
        self._seeds = list(seeds)
        self._connect = connect
        self._clients: dict[Address, OnceClient] = {}
        self._owners: list[Address | None] = []
        self._replicas: set[Address] = set()
        self._doubted = True
        self._not_before = 0.0
        self._turn = 0
        self._lock = threading.Lock()

    def owner(self, key: str) -> Address:
        """The node that has a key. Raises StockUnreachable."""
        if self._doubted:
            self._look()
        owner = self._owners[key_slot(key.encode())] if self._owners else None
        if owner is None:
            raise StockUnreachable("no node of the cluster is known to have it")
        return owner

    def client(self, address: Address) -> OnceClient:
        """The client of one node."""
        if address not in self._clients:
            self._clients[address] = self._connect(address)
        return self._clients[address]

    def all(self) -> list[Address]:
        """The nodes that have slots."""
        if self._doubted:
            self._look()
        return sorted({owner for owner in self._owners if owner is not None})

    def with_replicas(self) -> list[Address]:
        """Those, and the nodes that would take over from them."""
        return sorted({*self.all(), *self._replicas})

    def moved(self, moved: MovedError, *, told_by: Address) -> Address:
        """Take in what a node said; a node that names no host means its own."""
        owner = (moved.host or told_by[0], moved.port)
        self._owners[moved.slot_id] = owner
        self._doubted = True
        return owner

    def doubt(self) -> None:
        """Look anew before the next command."""
        self._doubted = True

    def _look(self) -> None:
        """Ask one node after the other, briefly, and at most once a second; who finds another asking goes on with what
        was known."""
        if not self._lock.acquire(timeout=0 if self._owners else LOOK_S):
            return
        try:
            started = time.monotonic()
            if started < self._not_before:
                return
            self._not_before = started + LOOK_AGAIN_S
            for address in self._candidates():
                self._turn += 1  # the next look begins with another, where this one does not answer
                try:
                    self._learn(address, self.client(address).execute_command("CLUSTER SLOTS"))
                except RedisError:
                    if time.monotonic() - started > LOOK_S:
                        return
                else:
                    return
        finally:
            self._lock.release()

    def _candidates(self) -> list[Address]:
        known = list(dict.fromkeys([*(owner for owner in self._owners if owner is not None), *self._seeds]))
        first = self._turn % len(known)
        return known[first:] + known[:first]

    def _learn(self, told_by: Address, ranges: Sequence[Any]) -> None:
        owners: list[Address | None] = [None] * SLOTS
        replicas: set[Address] = set()
        for first, last, master, *others in ranges:
            owners[first : last + 1] = [(master[0] or told_by[0], master[1])] * (last + 1 - first)
            replicas |= {(other[0] or told_by[0], other[1]) for other in others}
        self._owners, self._replicas, self._doubted = owners, replicas, False


class ClusterClient(CoreCommands):
    """What cache_stock.scripts needs of a client, on a cluster. Threads share it."""

    _event_dispatcher: Any = None  # redis-py's classes of commands ask for one, and these commands send no events

    def __init__(self, slots: Slots) -> None:
        self.slots = slots

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command to the node of its key. Raises a RedisError, NoTienda."""
        if args[0] in ("SCRIPT LOAD", "PING"):
            return self._everywhere(args)
        return self.send(self.slots.owner(key_of(args)), args, options)

    def send(self, address: Address, args: Sequence[Any], options: dict[str, Any]) -> Any:
        """Send it to this node, or where that says."""
        for _ in range(REDIRECTIONS):
            try:
                return self.slots.client(address).execute_command(*args, **options)
            except MovedError as moved:
                address = self.slots.moved(moved, told_by=address)
            except (RedisConnectionError, RedisTimeoutError):
                self.slots.doubt()
                raise
        raise StockUnreachable("the nodes of the cluster point at each other")

    def pipeline(self, transaction: bool = False) -> "ClusterPipeline":
        """Commands for any nodes; never a transaction."""
        return ClusterPipeline(self)

    def _everywhere(self, args: Sequence[Any]) -> Any:
        """Each node that answers has the script then; one that does not says so when it is back. What one answered."""
        answers: list[Any] = []
        failed: RedisError = StockUnreachable("no node of the cluster is known")
        for address in self.slots.all():
            try:
                answers.append(self.slots.client(address).execute_command(*args))
            except RedisError as error:
                failed = error
        if not answers:
            raise failed
        return answers[0]


class ClusterPipeline(CoreCommands):
    """Commands that are sent together: one round trip a node, one node after the other.

    A command without a key (INFO) goes where the one before it goes. Where a node fails, others may have run theirs: so
    only what reads, or may run twice, is put on one.
    """

    _event_dispatcher: Any = None

    def __init__(self, client: ClusterClient) -> None:
        self._client = client
        self._commands: list[tuple[tuple[Any, ...], dict[str, Any]]] = []

    def execute_command(self, *args: Any, **options: Any) -> "ClusterPipeline":
        """Keep it until execute()."""
        self._commands.append((args, options))
        return self

    def execute(self, raise_on_error: bool = True) -> list[Any]:
        """The answers in order; errors among them unless `raise_on_error`, which raises the first."""
        commands, self._commands = self._commands, []
        answers: list[Any] = [StockUnreachable("no node of the cluster is known to have it")] * len(commands)
        for address, numbers in self._by_node(commands).items():
            found = self._ask(address, [commands[number] for number in numbers])
            for number, answer in zip(numbers, found, strict=True):
                answers[number] = answer
        if raise_on_error:
            for answer in answers:
                if isinstance(answer, RedisError):
                    raise answer
        return answers

    def _by_node(self, commands: Sequence[tuple[tuple[Any, ...], dict[str, Any]]]) -> dict[Address, list[int]]:
        nodes: dict[Address, list[int]] = {}
        key = ""
        for number, (args, _options) in enumerate(commands):
            try:
                key = key_of(args)
            except NoTienda:
                if number == 0:
                    raise
            with suppress(StockUnreachable):
                owner = self._client.slots.owner(key)
                nodes.setdefault(owner, []).append(number)
        return nodes

    def _ask(self, address: Address, commands: Sequence[tuple[tuple[Any, ...], dict[str, Any]]]) -> Iterator[Any]:
        pipe: Any = self._client.slots.client(address).pipeline(transaction=False)
        for args, options in commands:
            pipe.execute_command(*args, **options)
        try:
            answers: list[Any] = pipe.execute(raise_on_error=False)
        except (RedisConnectionError, RedisTimeoutError) as error:
            self._client.slots.doubt()
            answers = [error] * len(commands)
        for (args, options), answer in zip(commands, answers, strict=True):
            yield self._follow(address, answer, args, options) if isinstance(answer, MovedError) else answer

    def _follow(self, told_by: Address, moved: MovedError, args: Sequence[Any], options: dict[str, Any]) -> Any:
        try:
            return self._client.send(self._client.slots.moved(moved, told_by=told_by), args, options)
        except RedisError as error:
            return error


class ClusterConnectionFactory(StockConnectionFactory):
    """django-redis' factory for such a URL: one ClusterClient a process, and below it a pool for each node."""

    _clusters: ClassVar[dict[str, ClusterClient]] = {}

    def get_connection(self, params: dict[str, Any]) -> ClusterClient:
        """The client of the cluster that the URL names."""
        url: str = params["url"]
        if url not in self._clusters:
            parts = urlsplit(url)
            self._clusters[url] = ClusterClient(Slots(seeds(parts), partial(self._connect, params, parts)))
        return self._clusters[url]

    def _connect(self, params: dict[str, Any], parts: SplitResult, address: Address) -> OnceClient:
        user, at, _hosts = parts.netloc.rpartition("@")
        url = f"{SCHEMES[parts.scheme]}://{user}{at}{join(address)}"
        client: OnceClient = super().get_connection({**params, "url": url})
        return client


def seeds(parts: SplitResult) -> list[Address]:
    """The nodes that a cluster's URL names."""
    hosts = parts.netloc.rpartition("@")[2].split(",")
    found = [urlsplit(f"//{host}") for host in hosts]
    return [(one.hostname or "", one.port or 6379) for one in found]


def join(address: Address) -> str:
    """host:port, an IPv6 address in brackets."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
