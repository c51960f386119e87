"""The connection to the stock's Redis: it tells "never reached" from "sent, and the answer is lost"."""

from typing import Any, ClassVar

from django_redis.pool import ConnectionFactory
from redis.connection import Connection, ConnectionPool
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError


class StockUnreachable(RedisConnectionError):
    """No connection could be made, so nothing was sent."""


class StockConnection(Connection):
    """A connection whose failure to connect has a name of its own."""

    def connect(self, *args: Any, **kwargs: Any) -> None:
        """Connect, or raise StockUnreachable."""
        try:
            super().connect(*args, **kwargs)  # type: ignore[no-untyped-call] # redis-py leaves it untyped
        except (RedisError, OSError) as error:
            raise StockUnreachable(str(error)) from error


class StockConnectionFactory(ConnectionFactory):  # type: ignore[misc] # django-redis has no types
    """django-redis' factory, with StockConnection in a pool kept apart from the other aliases'."""

    _pools: ClassVar[dict[str, ConnectionPool]] = {}

    def get_connection_pool(self, params: dict[str, Any]) -> ConnectionPool:
        """Return a new pool for these parameters."""
        pool: ConnectionPool = super().get_connection_pool(params)
        pool.connection_class = StockConnection
        return pool
