"""The broker without any worker: what is published stays where a test can look at it."""

import pytest

from tests.conftest import SERVICES
from tests.pipeline.rabbit import VirtualHost, default_host


@pytest.fixture
def host(live_db: None) -> VirtualHost:
    """The tests' own virtual host, its sales queues empty."""
    found = default_host(SERVICES.rabbit)
    found.purge()
    return found
