"""The broker without any worker: what is published stays where a test can look at it."""

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from tests.conftest import SERVICES
from tests.pipeline.rabbit import VirtualHost, default_host


@pytest.fixture
def host(live_db: None) -> VirtualHost:
    """The tests' own virtual host, its sales queues empty."""
    found = default_host(SERVICES.rabbit)
    found.purge()
    return found


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost a tenth here: these tests guess dozens of them."""
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 1)
    monkeypatch.setattr(Argon2PasswordHasher, "memory_cost", 8 * 1024)
