"""Ids that come again and again, as those of products, terminals and tiendas do: each is read, and written, once."""

from functools import lru_cache
from uuid import UUID

MOST = 16_384


@lru_cache(maxsize=MOST)
def known_uuid(text: str) -> UUID:
    """The UUID of a text. Raises as UUID() does."""
    return UUID(text)


@lru_cache(maxsize=MOST)
def uuid_text(value: UUID) -> str:
    """Its text."""
    return str(value)
