"""A tienda in the tests' Redis, for many threads at once."""

from collections.abc import Iterator

import pytest
import redis
from django.conf import settings

from cache_stock import scripts
from tests.concurrency.together import MOST_THREADS
from tests.lua.stocked import StockedTienda

PATIENCE_S = 60


@pytest.fixture
def tienda(monkeypatch: pytest.MonkeyPatch) -> Iterator[StockedTienda]:
    """A fresh tienda, armed. The client waits longer than a till would: a busy machine is no race."""
    pool = redis.ConnectionPool.from_url(
        settings.REDIS_URL,
        decode_responses=True,
        protocol=2,
        max_connections=MOST_THREADS + 1,
        socket_timeout=PATIENCE_S,
        socket_connect_timeout=PATIENCE_S,
    )
    client = redis.Redis(connection_pool=pool)
    monkeypatch.setattr(scripts, "stock_client", lambda: client)
    stocked = StockedTienda(client)
    stocked.arm()
    yield stocked
    pool.disconnect()
