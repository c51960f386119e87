"""A tienda in the tests' Redis, and a Redis of these tests' own for what would disturb others."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from django.test import override_settings

from cache_stock import scripts
from scripts.ports import free_port
from scripts.redis_server import Redis as Server
from tests.lua.protocol.server import Link
from tests.lua.protocol.server import Server as ProtocolServer
from tests.lua.protocol.walk import MakeWorld
from tests.lua.protocol.world import PRODUCTOS, SWEEP_AFTER_MS, World
from tests.lua.stocked import StockedTienda

PASSWORD = "only-these-tests"
# In memory only; `debug` changes the server's identity in a moment, as a failover would.
SETTINGS = {"appendonly": "no", "enable-debug-command": "yes"}


@pytest.fixture
def tienda() -> StockedTienda:
    """A fresh tienda, armed."""
    stocked = StockedTienda(scripts.stock_client())
    stocked.arm()
    return stocked


@pytest.fixture(scope="session")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Redis that may be filled, emptied, and given another identity."""
    folder = tmp_path_factory.mktemp("own-redis")
    server = Server(folder=folder, port=free_port(), password=PASSWORD, settings=SETTINGS)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_redis(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator["redis.Redis"]:
    """The client of that Redis, empty; the commands of cache_stock go there for the time of this test."""
    client = redis.Redis.from_url(own_server.url, decode_responses=True, protocol=2, socket_timeout=10)
    client.flushall()
    monkeypatch.setattr(scripts, "stock_client", lambda: client)
    yield client
    client.close()


@pytest.fixture
def small_redis(own_redis: "redis.Redis") -> Iterator["redis.Redis"]:
    """The same, with a limit of memory that fill() reaches."""
    own_redis.config_set("maxmemory", own_redis.info("memory")["used_memory"] + 2_000_000)
    yield own_redis
    own_redis.config_set("maxmemory", 0)


@pytest.fixture
def restartable(tmp_path: Path) -> Iterator[Server]:
    """A Redis with its append-only file, to be stopped and started."""
    settings = {"appendfsync": "always"}  # what was answered is on disk
    server = Server(folder=tmp_path / "redis", port=free_port(), password=PASSWORD, settings=settings)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def link(own_server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Link]:
    """The private Redis for the protocol's machine; the commands of cache_stock go there for the time of this test."""
    link = Link(own_server.url)
    monkeypatch.setattr(scripts, "stock_client", link.stock_client)
    yield link
    link.close()


@pytest.fixture
def make_world(link: Link) -> Iterator[MakeWorld]:
    """New worlds, one after another, on that Redis."""
    with override_settings(SWEEP_AFTER_MS=SWEEP_AFTER_MS):
        yield lambda: World(ProtocolServer(link, PRODUCTOS))
