"""Wait for a condition, with a bound."""

import time
from collections.abc import Callable
from typing import TypeVar

PAUSE_S = 0.02
Outcome = TypeVar("Outcome")


def wait_until(condition: Callable[[], Outcome], *, timeout_s: float, what: str) -> Outcome:
    """Return what `condition` returns as soon as that is true. After `timeout_s` fail: `what` did not happen."""
    deadline = time.monotonic() + timeout_s
    while True:
        outcome = condition()
        if outcome:
            return outcome
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout_s:g} s: {what} (last seen: {outcome!r})")
        time.sleep(PAUSE_S)


def poll(condition: Callable[[], bool], *, timeout_s: float) -> bool:
    """Whether it became true in time."""
    give_up = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > give_up:
            return False
        time.sleep(PAUSE_S)
    return True
