"""A tienda for each test."""

import pytest

from tests.cache_stock.store import Store


@pytest.fixture
def store(live_db: None) -> Store:
    """A new tienda, never armed, without products."""
    return Store()
