"""The servers of Redis in the state that /metrics shows: the stock's, and the one that knows who asks."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings
from django.test import override_settings
from redis import Redis

from blend_pos.tiendas import access_cache
from scripts.ports import free_port
from scripts.redis_server import Redis as Server
from scripts.services import Services
from tests.pipeline.shop import Shop
from tests.polling import wait_until
from tests.ventas.shown import OF_REDIS, OF_SERVERS, PARTS, open_alone, page, up


@pytest.fixture
def shop(live_db: None) -> Shop:
    return open_alone()


@pytest.mark.parametrize(
    ("name", "value", "metric"),
    [
        ("appendonly", "no", "stock_redis_without_aof"),
        ("maxmemory-policy", "volatile-ttl", "stock_redis_evicting"),
    ],
)
def test_a_redis_that_would_lose_what_it_holds(
    shop: Shop, services: Services, name: str, value: str, metric: str
) -> None:
    with Redis.from_url(services.redis.url, decode_responses=True) as redis:
        before = redis.config_get(name)[name]
        redis.config_set(name, value)
        try:
            shown = page()
        finally:
            redis.config_set(name, before)

    assert {other: shown[other] for other in OF_SERVERS} == {other: float(other == metric) for other in OF_SERVERS}


def test_how_full_redis_is(shop: Shop, services: Services) -> None:
    with Redis.from_url(services.redis.url) as redis:
        redis.config_set("maxmemory", 4 * redis.info("memory")["used_memory"])
        try:
            shown = page()
        finally:
            redis.config_set("maxmemory", 0)

    assert 0.2 < shown["stock_redis_memory_ratio"] < 0.5


class Bounded(Server):
    """Told by an error, and not killed, that its file is to grow no more."""

    def prepare(self) -> list[str]:
        return ["/bin/sh", "-c", 'trap "" XFSZ; exec "$@"', "sh", *super().prepare()]


def test_a_file_that_cannot_be_written_is_none(shop: Shop, tmp_path: Path) -> None:
    """Redis says so, and takes nothing more: here its file grew past what its process may write."""
    server = Bounded(folder=tmp_path / "redis", port=free_port(), password="of-the-stock")
    server.start()
    alone = {**settings.CACHES["stock"], "LOCATION": [server.url]}
    try:
        with override_settings(CACHES={**settings.CACHES, "stock": alone}), Redis.from_url(server.url) as redis:
            assert page()["stock_redis_without_aof"] == 0
            written = sum(file.stat().st_size for file in server.data.rglob("*.aof"))
            resource.prlimit(redis.info("server")["process_id"], resource.RLIMIT_FSIZE, (written + 10, written + 10))
            redis.set("key", "x" * 1_000)
            wait_until(lambda: page()["stock_redis_without_aof"] == 1, timeout_s=10, what="the file is not written")
    finally:
        server.kill()


@contextmanager
def apart(folder: Path) -> Iterator[Server]:
    """CACHE_URL is another Redis than the stock's."""
    server = Server(folder=folder, port=free_port(), password="of-the-cache")
    server.start()
    alone = {**settings.CACHES["default"], "LOCATION": server.url}
    try:
        with override_settings(CACHES={**settings.CACHES, "default": alone}):
            yield server
    finally:
        server.kill()


def test_the_redis_that_knows_who_asks_is_a_part_too(shop: Shop, tmp_path: Path) -> None:
    with apart(tmp_path / "cache") as server:
        assert up(page()) == PARTS
        access_cache.try_write()

        server.kill()
        shown = page()
        with pytest.raises(access_cache.AccessUnavailable):
            access_cache.try_write()

    assert up(shown) == PARTS - {"cache"}
    assert set(shown) >= OF_REDIS
