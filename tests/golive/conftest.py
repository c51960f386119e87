"""One open shop for all of these tests: each breaks one thing of it, and mends that."""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest

from cache_stock.scripts import stock_client
from scripts.ports import free_port
from scripts.postgres_server import Postgres
from tests.conftest import ENVIRONMENT, SERVICES
from tests.golive.open_shop import OpenShop, open_it, prepare
from tests.pipeline.rabbit import VirtualHost
from tests.spawning import Spawner


@pytest.fixture(scope="package")
def open_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenShop]:
    """With a PostgreSQL of its own: the tests' other one spares the disk, and that is a finding; Redis does no more."""
    folder = tmp_path_factory.mktemp("golive")
    postgres = Postgres(folder=folder / "postgres", port=free_port(), password=uuid4().hex)
    host = VirtualHost(SERVICES.rabbit, f"golive-{uuid4().hex[:8]}")
    environment = {
        **os.environ,
        **ENVIRONMENT,
        "DATABASE_URL": postgres.url,
        # The probe has one id everywhere: two databases must not meet at its keys.
        "REDIS_URL": SERVICES.redis.database_url(5),
        "CACHE_URL": SERVICES.redis.database_url(6),
        "RABBITMQ_URL": host.url,
        "SALES_WORKERS_MIN": "1",
        "PYTHONWARNINGS": "default",
    }
    spawner = Spawner(folder=folder, environment=environment)
    postgres.start()
    host.create()
    redis = stock_client()
    spared = str(redis.config_get("appendfsync")["appendfsync"])
    redis.config_set("appendfsync", "everysec")
    try:
        prepare(environment, folder)
        yield open_it(spawn=spawner, postgres=postgres, host=host, environment=environment)
    finally:
        spawner.end_all()
        postgres.kill()
        host.delete()
        redis.config_set("appendfsync", spared)
