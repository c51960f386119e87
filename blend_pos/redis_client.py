"""redis-py's client and pool for who sends one command and waits for it: each is sent once, and nothing is measured.

What redis-py puts around a command (repeating it, measurements, events) is a third of what the command costs a checkout
(docs/adr/0035).
"""

from collections.abc import Callable
from typing import Any

from hiredis import pack_command
from redis import Redis
from redis.connection import ConnectionPool
from redis.exceptions import RedisError


class OnceClient(Redis):
    """A command that fails is not repeated; a connection that failed is closed, and opened again by who needs it."""

    def execute_command(self, *args: Any, **options: Any) -> Any:
        """Send one command and read its reply. Raises a RedisError."""
        parse: Callable[..., Any] = self.parse_response  # redis-py leaves it untyped
        connection: Any = self.connection_pool.get_connection()
        try:
            if " " in args[0]:  # of several words, which redis-py takes apart
                connection.send_command(*args)
            else:
                connection.send_packed_command((pack_command(args),))
            return parse(connection, args[0], **options)
        finally:
            self.connection_pool.release(connection)


class PlainPool(ConnectionPool):
    """Connections that wait for the next command; one that the server closed meanwhile is opened again."""

    def get_connection(self, command_name: str | None = None, *keys: Any, **options: Any) -> Any:
        """A connection that is open, with nothing left to read. Raises a RedisError."""
        self._checkpid()
        with self._lock:
            connection = self._available_connections.pop() if self._available_connections else self._more()
            self._in_use_connections.add(connection)
        try:
            if not connection.is_connected:
                connection.connect()
            elif not self._is_idle(connection):
                connection.disconnect()
                connection.connect()
        except BaseException:
            self.release(connection)
            raise
        return connection

    def release(self, connection: Any) -> None:
        """Take it back."""
        self._checkpid()
        with self._lock:
            if connection in self._in_use_connections:  # else it is of the process that this one was forked from
                self._in_use_connections.remove(connection)
                self._available_connections.append(connection)

    def _more(self) -> Any:
        return self.make_connection()

    @staticmethod
    def _is_idle(connection: Any) -> bool:
        try:
            return not connection.can_read()
        except (RedisError, OSError):
            return False
