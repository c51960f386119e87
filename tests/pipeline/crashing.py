"""The product's Celery application, whose processes die where a test says: `celery -A tests.pipeline.crashing worker`.

CRASH_POINT names the step, CRASHES a folder: each file in it is one death, taken in the order of the names; a name
that begins with "child" kills the pool's process, "worker" kills its parent too. CRASH_TOTAL: a sale of this total, in
cents, kills the pool's process whenever it is about to be written.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")
django.setup()

from celery_app import app  # noqa: E402 - Django first
from ventas import persistence  # noqa: E402 - Django first

__all__ = ["app"]

BEFORE_COMMIT, BEFORE_SETTLE, BEFORE_ACK = "before_commit", "before_settle", "before_ack"
Step = Callable[..., Any]


def _die(*, parent_too: bool) -> None:
    if parent_too:
        os.kill(os.getppid(), signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


def _die_if_told() -> None:
    """Take one file of the folder, and die by it. Two processes never take the same."""
    for death in sorted(Path(os.environ["CRASHES"]).iterdir()):
        try:
            death.unlink()
        except FileNotFoundError:
            continue
        _die(parent_too=death.name.startswith("worker"))


def _dying(step: Step, *, after: bool) -> Step:
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if not after:
            _die_if_told()
        result = step(*args, **kwargs)
        if after:
            _die_if_told()
        return result

    return wrapped


def _killed_by(total_centavos: int, write: Step) -> Step:
    def wrapped(*, sales: Any, **kwargs: Any) -> Any:
        if any(sale.total_centavos == total_centavos for sale in sales):
            _die(parent_too=False)
        return write(sales=sales, **kwargs)

    return wrapped


worker_side: Any = persistence  # whose names are replaced below
POINT = os.environ.get("CRASH_POINT", "")
if POINT == BEFORE_COMMIT:  # the rows are there, the transaction is open
    worker_side.number_terminals = _dying(worker_side.number_terminals, after=True)
elif POINT == BEFORE_SETTLE:
    worker_side.settle = _dying(worker_side.settle, after=False)
elif POINT == BEFORE_ACK:
    worker_side.settle = _dying(worker_side.settle, after=True)
if "CRASH_TOTAL" in os.environ:
    worker_side.write = _killed_by(int(os.environ["CRASH_TOTAL"]), worker_side.write)
