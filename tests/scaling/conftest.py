"""What a chain has that has outgrown one machine: a Redis Cluster, a pooler before PostgreSQL, three RabbitMQs."""

import os
from collections.abc import Iterator
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from blend_pos.tiendas.models import Tienda
from tests.conftest import ENVIRONMENT, SERVICES
from tests.pipeline.processes import QUICK, Pipeline
from tests.pipeline.rabbit import VirtualHost
from tests.pipeline.shop import Shop, open_shop
from tests.scaling.redis_nodes import NODES, Nodes
from tests.spawning import Spawner

MOST_SHOPS = 40  # of so many at random, one node has none once in ten million times


@pytest.fixture(scope="package")
def _nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    nodes = Nodes(folder=tmp_path_factory.mktemp("nodes"))
    nodes.start()
    yield nodes
    nodes.kill()


@pytest.fixture
def nodes(_nodes: Nodes) -> Iterator[Nodes]:
    """The running cluster, this process' stock as well. What a test leaves down or frozen is put right."""
    stock = {
        **settings.CACHES["stock"],
        "LOCATION": [_nodes.url],
        "OPTIONS": {
            **settings.CACHES["stock"]["OPTIONS"],
            "CONNECTION_FACTORY": "cache_stock.cluster.ClusterConnectionFactory",
        },
    }
    with override_settings(CACHES={**settings.CACHES, "stock": stock}):
        yield _nodes
        for node in _nodes.each:
            node.thaw()
        _nodes.start()


@pytest.fixture(scope="package")
def _on_the_cluster(
    _nodes: Nodes, django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    host = VirtualHost(SERVICES.rabbit, f"cluster-{uuid4().hex[:8]}")
    host.create()
    with django_db_blocker.unblock():
        Tienda.objects.update(is_active=False)
        database = SERVICES.postgres.database_url(connection.settings_dict["NAME"])
        connections.close_all()
    environment = {**os.environ, **ENVIRONMENT, **QUICK, "DATABASE_URL": database, "REDIS_URL": _nodes.url}
    environment["RABBITMQ_URL"] = host.url
    spawner = Spawner(folder=tmp_path_factory.mktemp("cluster"), environment=environment)
    yield Pipeline(host, spawner)
    spawner.end_all()
    host.delete()


@pytest.fixture
def pipeline(_on_the_cluster: Pipeline, nodes: Nodes, live_db: None) -> Pipeline:
    """The product's processes, running."""
    _on_the_cluster.start()
    _on_the_cluster.host.purge()
    return _on_the_cluster


@pytest.fixture
def shops(nodes: Nodes, live_db: None) -> list[Shop]:
    """A tienda on each node, in the nodes' order."""
    Tienda.objects.update(is_active=False)  # those of earlier tests: no cold start waits for them
    found: dict[int, Shop] = {}
    for _ in range(MOST_SHOPS):
        shop = open_shop(products=4, stock=500)
        node = nodes.of(shop.tienda_id)
        if nodes.each.index(node) in found:
            Tienda.objects.filter(pk=shop.tienda_id).update(is_active=False)
        found.setdefault(nodes.each.index(node), shop)
        if len(found) == NODES:
            break
    return [found[number] for number in range(NODES)]
