"""What ends with a thread of the web server, which ends threads that had nothing to do and starts others."""

import threading
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

_thread = threading.local()


class _Session:
    """A thread's connection to PostgreSQL, closed when nobody keeps this any more."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def __del__(self) -> None:
        self._connection.close()


def close_at_end(connection: BaseDatabaseWrapper, **_named: Any) -> None:
    """For Django's connection_created: what this thread opened is closed when the thread ends.

    Django's own object around it refers to itself, so that it stayed open until the next whole search for garbage,
    and a hundred of them are all that PostgreSQL has. A copy is its maker's to close.
    """
    if connections[connection.alias] is connection:
        setattr(_thread, connection.alias, _Session(connection.connection))
