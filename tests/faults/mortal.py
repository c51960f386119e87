"""The product's Celery application with the points of its side: `celery -A tests.faults.mortal worker`."""

import os
import signal
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")
django.setup()

from cache_stock import scripts  # noqa: E402 - Django first
from celery_app import app  # noqa: E402 - Django first
from tests.faults.mortal_totals import BROKEN_CANTIDAD, POISON_CANTIDAD, centavos  # noqa: E402 - Django first
from tests.faults.points import after, before  # noqa: E402 - Django first
from ventas import batches, cold_start, persistence  # noqa: E402 - Django first

__all__ = ["app"]

OTHERS_SELL_ON_S = 3.0  # a shop has twenty

persisting: Any = persistence
batching: Any = batches
commands: Any = scripts
starting: Any = cold_start

starting.OTHERS_SELL_ON_S = OTHERS_SELL_ON_S
batching.persist_all = before("P5", batching.persist_all)


class BrokenSaleError(Exception):
    """What a sale of that total does, each time."""


def _killed_by_poison(write: Any) -> Any:
    """A sale of one total kills whoever is about to write it, one of another fails."""

    def wrapped(*, sales: Any, **more: Any) -> Any:
        totals = {sale.total_centavos for sale in sales}
        if centavos(POISON_CANTIDAD) in totals:
            os.kill(os.getpid(), signal.SIGKILL)
        if centavos(BROKEN_CANTIDAD) in totals:
            raise BrokenSaleError
        return write(sales=sales, **more)

    return wrapped


persisting.write = _killed_by_poison(persisting.write)
persisting.number_terminals = after("P6", persisting.number_terminals)
persisting.settle = after("P8", before("P7", persisting.settle))
commands.warmup = before("P9", commands.warmup)
for name in ("clear", "load", "rehold", "arm"):
    setattr(commands, name, before("P10", getattr(commands, name)))
