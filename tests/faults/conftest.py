"""The ground on which the matrix runs: processes with the points of mortal.py, on a virtual host of their own."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import connection, connections
from django.test import override_settings
from pytest_django.plugin import DjangoDbBlocker

from scripts.ports import free_port
from scripts.services import Redis
from tests.conftest import ENVIRONMENT, SERVICES
from tests.faults.ground import QUICK, Ground
from tests.faults.network import open_wire
from tests.faults.orders import Orders
from tests.faults.results import Result, table
from tests.pipeline.rabbit import VirtualHost
from tests.spawning import Spawner

DELIVERIES = "6"  # until a sale that kills its worker is given up
RESULTS = pytest.StashKey[list[Result]]()


@pytest.fixture(scope="package")
def ground(
    django_db_setup: None,
    django_db_blocker: DjangoDbBlocker,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Ground]:
    """Everything that is broken; nothing of it runs yet."""
    folder = tmp_path_factory.mktemp("faults")
    orders = Orders(folder / "orders")
    orders.folder.mkdir()
    host = VirtualHost(SERVICES.rabbit, f"faults-{uuid4().hex[:8]}")
    host.create()
    with django_db_blocker.unblock():
        database = SERVICES.postgres.database_url(connection.settings_dict["NAME"])
        wires = {
            "redis": open_wire(SERVICES.redis.port),
            "rabbitmq": open_wire(SERVICES.rabbit.port),
            "postgres": open_wire(SERVICES.postgres.port),
        }
        lens = open_wire(SERVICES.redis.port)
        environment = {**os.environ, **ENVIRONMENT, **QUICK}
        environment["REDIS_URL"] = wires["redis"].through(SERVICES.redis.url)
        environment["RABBITMQ_URL"] = wires["rabbitmq"].through(host.url)
        environment["DATABASE_URL"] = wires["postgres"].through(database)
        environment |= {"FAULT_POINTS": str(orders.folder), "SALES_QUEUE_DELIVERY_LIMIT": DELIVERIES}
        spawner = Spawner(folder=folder, environment=environment)
        standby = _standby(folder)
        stock = {**settings.CACHES["stock"], "LOCATION": lens.through(SERVICES.redis.url)}
        with override_settings(CACHES={**settings.CACHES, "stock": stock}):
            yield Ground(SERVICES, host, spawner, orders, wires, standby, lens, environment)
        spawner.end_all()
        standby.kill()
        for wire in (*wires.values(), lens):
            wire.close()
        connections.close_all()
        host.delete()


def _standby(folder: Path) -> Redis:
    """A second Redis, with the first one's password: whoever is led to it finds the door open."""
    password = urlsplit(SERVICES.redis.url).password or ""
    return Redis(folder=folder / "standby", port=free_port(), password=password, settings={"masterauth": password})


@pytest.fixture(scope="session")
def results(request: pytest.FixtureRequest) -> list[Result]:
    """What came of each row so far; printed at the end."""
    return request.config.stash.setdefault(RESULTS, [])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where the tests are dealt to several processes, the one that deals prints the table."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["faults"] = [one.as_json() for one in session.config.stash.get(RESULTS, [])]


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """One of these processes has ended."""
    found = node.config.stash.setdefault(RESULTS, [])
    found += [Result(**one) for one in getattr(node, "workeroutput", {}).get("faults", [])]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The matrix with its counts."""
    found = config.stash.get(RESULTS, [])
    if found:
        terminalreporter.write_sep("=", "the matrix of faults")
        terminalreporter.write_line(table(found))
