"""The Redis under the machine: seen whole in one look, and lost in the ways in which one is lost."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import redis
from redis.commands.core import Script

from cache_stock import keys, scripts
from cache_stock.reservation import HeldProduct, parse_lines
from tests.lua.stocked import change_identity

if TYPE_CHECKING:
    from redis import Redis

# KEYS: meta and journal, then stock, of each tienda in turn; ARGV: for each its hold prefix and its number of products.
LOOK = Script(
    cast("Redis", None),
    b"""#!lua flags=no-writes
local info = redis.call('INFO', 'server')
local run_id = string.match(info, 'run_id:(%x+)')
local replid = string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')
local result, at = {}, 1
for i = 1, #ARGV, 2 do
  local state = redis.call('HMGET', KEYS[at], 'run_id', 'master_replid', 'epoch')
  local armed = state[1] == run_id and state[2] == replid
  local stock, holds = {}, {}
  for p = 1, tonumber(ARGV[i + 1]) do
    stock[p] = redis.call('HMGET', KEYS[at + 1 + p], 'saldo', 'version', 'reservado', 'precio', 'catalogo_version')
  end
  for _, venta in ipairs(redis.call('ZRANGE', KEYS[at + 1], 0, -1)) do
    local hold = redis.call('HMGET', ARGV[i] .. venta, 'huella', 'epoch', 'lineas')
    holds[#holds + 1] = {venta, hold[1], hold[2], hold[3]}
  end
  result[#result + 1] = {armed and state[3] or '', stock, holds}
  at = at + 2 + tonumber(ARGV[i + 1])
end
return result
""",
)


@dataclass(frozen=True, slots=True)
class SeenProduct:
    """One stock hash. `saldo` is None once flushed."""

    saldo: int | None
    version: int
    reservado: int
    precio: int
    catalogo_version: int


@dataclass(frozen=True, slots=True)
class SeenHold:
    """One hold of the journal."""

    huella: str
    epoch: int
    products: tuple[HeldProduct, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One tienda in Redis; a stock hash that is not there is None. `epoch` is None while not armed."""

    epoch: int | None
    stock: Mapping[UUID, SeenProduct | None]
    holds: Mapping[UUID, SeenHold]


@dataclass(frozen=True, slots=True)
class Started:
    """Redis as the first cold start and warmup left it, and the figures of the world around it."""

    dump: Mapping[str, Any]
    serial: int
    now_ms: int


class Link:
    """The clients of one private server; it notes whether Redis was spoken to since the last look."""

    def __init__(self, url: str) -> None:
        self.client = redis.Redis.from_url(url, decode_responses=True, protocol=2, single_connection_client=True)
        self.raw = redis.Redis.from_url(url, protocol=2, single_connection_client=True)
        self.touched = True
        self.started: Started | None = None
        self.master_replid = str(self.client.info("replication")["master_replid"])

    def stock_client(self) -> "Redis":
        """What cache_stock.scripts takes for the stock's client."""
        self.touched = True
        return self.client

    def close(self) -> None:
        self.client.close()
        self.raw.close()


class Server:
    """One Redis, for this machine alone."""

    def __init__(self, link: Link, productos: Mapping[UUID, Sequence[UUID]]) -> None:
        self.link = link
        self._seen: dict[UUID, Seen] = {}
        self._productos = productos
        self._names: list[str] = []
        self._arguments: list[str | int] = []
        for tienda, names in productos.items():
            self._names += [keys.meta(tienda), keys.journal(tienda), *(keys.stock(tienda, name) for name in names)]
            self._arguments += [keys.hold_prefix(tienda), len(names)]

    @property
    def client(self) -> "Redis":
        return self.link.stock_client()

    def look(self) -> dict[UUID, Seen]:
        """Everything that the invariants speak of."""
        if self.link.touched:
            self._seen = self._look()
            self.link.touched = False
        return self._seen

    def _look(self) -> dict[UUID, Seen]:
        answer = scripts.guarded(lambda: LOOK(keys=self._names, args=self._arguments, client=self.client))
        return {
            tienda: Seen(
                int(epoch) if epoch else None,
                {name: _product(fields) for name, fields in zip(names, stock, strict=True)},
                {
                    UUID(venta): SeenHold(huella, int(held_in), parse_lines(lines))
                    for venta, huella, held_in, lines in holds
                },
            )
            for (tienda, names), (epoch, stock, holds) in zip(self._productos.items(), answer, strict=True)
        }

    def snapshot(self) -> dict[str, Any]:
        """All keys, as their dumps."""
        names = cast("list[str]", self.client.keys("*"))
        pipe = self.link.raw.pipeline(transaction=False)
        for name in names:
            pipe.dump(name)
        return dict(zip(names, pipe.execute(), strict=True))

    def restore(self, snapshot: Mapping[str, Any]) -> None:
        """Fall back to what was then."""
        self.link.touched = True
        pipe = self.link.raw.pipeline(transaction=False)
        pipe.flushdb()
        for name, dump in snapshot.items():
            pipe.restore(name, 0, dump)
        pipe.execute()

    def start_from(self, started: Started) -> None:
        """Armed and warm, as if the first cold start had been on the server that it is by now: one round trip."""
        self.link.touched = True
        pipe = self.link.raw.pipeline(transaction=False)
        pipe.flushdb()
        for name, dump in started.dump.items():
            pipe.restore(name, 0, dump)
        for tienda in self._productos:
            pipe.hset(keys.meta(tienda), "master_replid", self.link.master_replid)
        pipe.execute()

    def empty(self) -> None:
        self.client.flushdb()

    def become_another(self) -> None:
        """A restart or a failover, as far as the scripts can tell."""
        change_identity(self.client)
        self.link.master_replid = str(self.client.info("replication")["master_replid"])


def _product(fields: Sequence[str | None]) -> SeenProduct | None:
    saldo, *others = fields
    if None in others:
        return None
    version, reservado, precio, catalogo_version = (int(cast("str", field)) for field in others)
    return SeenProduct(None if saldo is None else int(saldo), version, reservado, precio, catalogo_version)
