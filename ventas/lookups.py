"""Questions to PostgreSQL on the way to a refusal: few at once, each with an end.

A database that hangs instead of going down would hold the threads that sell; so they wait for an answer in threads of
its own, until the sale's deadline, and after one that did not come nobody asks for a moment.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections

Answer = TypeVar("Answer")

MOST_AT_ONCE = 4
TIME_TO_ANSWER_S = 0.3
PAUSE_S = 1.0


class NoAnswer(Exception):
    """PostgreSQL is away, or did not answer in time."""


class Lookups:
    """A few threads that ask; one set a process."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="lookup")
        self._free = threading.BoundedSemaphore(MOST_AT_ONCE)
        self._not_before = 0.0

    def ask(self, question: Callable[[], Answer], *, deadline: float) -> Answer:
        """The answer, at the latest a little before `deadline` (time.monotonic()). Raises NoAnswer."""
        left = deadline - TIME_TO_ANSWER_S - time.monotonic()
        if time.monotonic() < self._not_before or left <= 0 or not self._free.acquire(timeout=left):
            raise NoAnswer
        future = self._threads.submit(self._answer, question)
        try:
            return future.result(timeout=max(0.0, deadline - TIME_TO_ANSWER_S - time.monotonic()))
        except TimeoutError as error:
            self._not_before = time.monotonic() + PAUSE_S
            raise NoAnswer from error
        except (OperationalError, InterfaceError) as error:
            raise NoAnswer from error

    def _answer(self, question: Callable[[], Answer]) -> Answer:
        try:
            close_old_connections()
            return question()
        finally:
            self._free.release()
