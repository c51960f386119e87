"""Web, worker and maintenance as they run in a shop, on the tests' own servers."""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from blend_pos.tiendas.models import Tienda
from tests.conftest import ENVIRONMENT, SERVICES
from tests.pipeline.processes import QUICK, Pipeline
from tests.pipeline.rabbit import VirtualHost, default_host
from tests.spawning import Spawner


@pytest.fixture(scope="package")
def long_lived(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    """The processes that most of these tests share: starting them takes longer than most tests do."""
    host = default_host(SERVICES.rabbit)
    host.purge()
    with django_db_blocker.unblock():
        Tienda.objects.update(is_active=False)  # those of earlier tests: no cold start waits for them
        database = SERVICES.postgres.database_url(connection.settings_dict["NAME"])
        connections.close_all()
    environment = {**os.environ, **ENVIRONMENT, **QUICK, "DATABASE_URL": database}
    spawner = Spawner(folder=tmp_path_factory.mktemp("pipeline"), environment=environment)
    yield Pipeline(host, spawner)
    spawner.end_all()


@pytest.fixture
def pipeline(long_lived: Pipeline, live_db: None) -> Iterator[Pipeline]:
    """Running processes, whatever the test before did to them; empty queues."""
    long_lived.start()
    long_lived.host.purge()
    yield long_lived
    for name, process in (("worker", long_lived.worker), ("maintenance", long_lived.maintenance)):
        print(f"--- {name}\n{process.log_tail()}")


@pytest.fixture
def own_host(live_db: None) -> Iterator[VirtualHost]:
    """A virtual host without any queue, for processes with other limits."""
    found = VirtualHost(SERVICES.rabbit, f"own-{uuid4().hex[:8]}")
    found.create()
    yield found
    found.delete()
