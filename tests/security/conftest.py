"""One world for all these tests: they read it, or make what they destroy."""

import os
from collections.abc import Iterator

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import connection
from django.test import Client
from pytest_django.plugin import DjangoDbBlocker

from tests.conftest import ENVIRONMENT, SERVICES
from tests.pipeline.rabbit import default_host
from tests.security.world import World, make_world
from tests.spawning import Spawner, Web

# As behind a proxy that ends TLS, which is where these tests stand.
PRODUCTION = {"HTTPS": "true", "BEHIND_PROXY": "true", "ALLOWED_HOSTS": "pos.example.com", "LOG_FORMAT": "json"}

THREADS = 8


@pytest.fixture(scope="package")
def world_made_once(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> World:
    """It takes longer than most of these tests."""
    default_host(SERVICES.rabbit).purge()
    with django_db_blocker.unblock():
        return make_world()


@pytest.fixture
def world(world_made_once: World, live_db: None) -> World:
    return world_made_once


@pytest.fixture(scope="package")
def web_started_once(
    world_made_once: World, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Web]:
    """The web server as `make run` starts it, with the settings of production."""
    with django_db_blocker.unblock():
        database = SERVICES.postgres.database_url(connection.settings_dict["NAME"])
    environment = {**os.environ, **ENVIRONMENT, **PRODUCTION, "DATABASE_URL": database}
    spawner = Spawner(folder=tmp_path_factory.mktemp("security"), environment=environment)
    web = spawner.web(blocking_threads=THREADS)
    web.wait_ready()
    yield web
    spawner.end_all()


@pytest.fixture
def web(web_started_once: Web, live_db: None) -> Web:
    assert web_started_once.running
    return web_started_once


@pytest.fixture
def client() -> Client:
    """Without a session; errors come as answers."""
    return Client(raise_request_exception=False)


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost a tenth here: some of these tests guess dozens of them."""
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 1)
    monkeypatch.setattr(Argon2PasswordHasher, "memory_cost", 8 * 1024)
