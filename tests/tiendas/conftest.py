"""Tiendas, people and clients for these tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.db import OperationalError, connection
from django.test import Client

from tests.tiendas.people import Shop, bearer, give_token, hire, open_shop


@pytest.fixture
def shop(live_db: None) -> Shop:
    return open_shop()


@pytest.fixture
def client() -> Client:
    """Without a session; errors come as answers."""
    return Client(raise_request_exception=False)


@pytest.fixture
def cajero_token(shop: Shop) -> dict[str, str]:
    """The header of a cajero's token."""
    return bearer(give_token(hire(shop), shop)[1])


def refuse_query(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
    raise OperationalError(f"no SQL here: {sql}")


@pytest.fixture
def without_sql() -> Callable[[], AbstractContextManager[None]]:
    """A context in which every query fails, as with PostgreSQL away."""

    @contextmanager
    def forbid() -> Iterator[None]:
        with connection.execute_wrapper(refuse_query):
            yield

    return forbid


@pytest.fixture(autouse=True)
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords cost a tenth here: these tests guess dozens of them."""
    monkeypatch.setattr(Argon2PasswordHasher, "time_cost", 1)
    monkeypatch.setattr(Argon2PasswordHasher, "memory_cost", 8 * 1024)
