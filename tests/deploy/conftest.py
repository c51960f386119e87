"""One run of the product, for every test that looks whether a metric exists."""

import os

import pytest
from django.db import connection
from pytest_django.plugin import DjangoDbBlocker

from tests.conftest import ENVIRONMENT, SERVICES
from tests.deploy.live_metrics import Shown, of_a_run
from tests.spawning import Spawner


@pytest.fixture(scope="session")
def shown(django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    """What /metrics shows: metric -> its labels -> their values."""
    folder = tmp_path_factory.mktemp("live_metrics")
    with django_db_blocker.unblock():
        database = SERVICES.postgres.database_url(connection.settings_dict["NAME"])
        spawner = Spawner(folder=folder, environment={**os.environ, **ENVIRONMENT, "DATABASE_URL": database})
        try:
            return of_a_run(spawner, folder)
        finally:
            spawner.end_all()  # at once: others would find a worker of theirs on their queues
            connection.close()
