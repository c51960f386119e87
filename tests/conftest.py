"""The three servers under every test: started here on free ports, in a folder that is thrown away.

The settings are read as soon as this file is imported, so that any conftest.py may import models; the servers
themselves start when the session does. A server that is missing ends the session: nothing is skipped.
"""

import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import django
import pytest
from django.conf import settings
from django.db import connection, connections
from django.test.utils import setup_databases
from pytest_django.plugin import DjangoDbBlocker
from xdist.scheduler import LoadScopeScheduling

from scripts.binaries import MissingBinary
from scripts.services import ServiceError, Services
from tests.spawning import Spawner

FOLDER = Path(tempfile.mkdtemp(prefix="blend-pos-tests-"))
SERVICES = Services.private(folder=FOLDER, fsync=False, counting_s=1)
ENVIRONMENT = {
    **SERVICES.environment(),
    "DJANGO_SETTINGS_MODULE": "blend_pos.settings",
    "SECRET_KEY": secrets.token_urlsafe(48),
    "DEBUG": "false",
    "LOG_FORMAT": "console",
    "TOKEN_GUESSES_MAX": "1000000",  # every test comes from one address; those of the limit set their own
    "STATISTICS_INTERVAL_MS": "3000",  # of a RabbitMQ that counts each second
}

LONGEST_FIRST = ["browser", "pipeline", "golive", "scaling", "ventas"]  # 560, 360, 270, 130, 110 s of 1,850

os.environ.update(ENVIRONMENT)
django.setup()
Path(settings.STATIC_ROOT).mkdir(exist_ok=True)  # `make run` fills it; whitenoise warns where there is none
if settings.DATABASES["default"]["PORT"] != SERVICES.postgres.port:
    raise pytest.UsageError("settings were read before the tests' servers were known: unset DJANGO_SETTINGS_MODULE")


def pytest_sessionstart(session: pytest.Session) -> None:
    if session.config.option.collectonly or _only_deals(session.config):
        return
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: in order
    try:
        SERVICES.start()
    except (MissingBinary, ServiceError) as problem:
        pytest.exit(f"The tests need the real servers. {problem}", returncode=pytest.ExitCode.USAGE_ERROR)


def _only_deals(config: pytest.Config) -> bool:
    """Whether this process runs no test itself, but deals them to others, each with servers of its own."""
    return bool(config.getoption("numprocesses", None)) and not hasattr(config, "workerinput")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes() -> None:
    """Those processes read the settings when they have servers of their own, not with these."""
    os.environ.pop("DJANGO_SETTINGS_MODULE")


class FolderScheduling(LoadScopeScheduling):  # type: ignore[misc] # xdist has no types
    """What shares a folder shares what that folder starts, so it is dealt to one process."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("/")[1]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> FolderScheduling:
    """Deal whole folders, as they are collected."""
    return FolderScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folders that take longest are the first: else one process is at work long after the other."""
    here = Path(__file__).parent

    def place(item: pytest.Item) -> int:
        folder = item.path.relative_to(here).parts[0]
        return LONGEST_FIRST.index(folder) if folder in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)


def pytest_unconfigure() -> None:
    for service in SERVICES.each():
        service.kill()  # in no good order: the data are thrown away
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> None:
    """The test database, whichever tests run. It is never torn down: its server is."""
    with django_db_blocker.unblock():
        setup_databases(verbosity=0, interactive=False, serialized_aliases=set())


@pytest.fixture
def services() -> Iterator[Services]:
    """The running servers, to stop, kill or freeze. What a test leaves down or frozen is put right after it."""
    yield SERVICES
    for service in SERVICES.each():
        service.thaw()
    SERVICES.start()
    connections.close_all()


@pytest.fixture
def live_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The test database without a transaction around the test and without a flush: other processes see the rows.

    Rows stay (the ledger cannot be emptied), so a test makes a tienda of its own and asserts about that one.
    """
    with django_db_blocker.unblock():
        yield
        connections.close_all()


@pytest.fixture
def process_environment(live_db: None) -> dict[str, str]:
    """The environment for a process that is to meet this test's servers and database."""
    database = SERVICES.postgres.database_url(connection.settings_dict["NAME"])
    return {**os.environ, **ENVIRONMENT, "DATABASE_URL": database, "PYTHONWARNINGS": "default"}


@pytest.fixture
def spawn(process_environment: dict[str, str], tmp_path: Path) -> Iterator[Spawner]:
    """Starts workers, web servers, beat; kills what is left of them after the test."""
    spawner = Spawner(folder=tmp_path, environment=process_environment)
    yield spawner
    spawner.end_all()
