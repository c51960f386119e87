"""The product's Celery application with the points of its side: `celery -A tests.faults.mortal worker`."""

import os
import signal
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")
django.setup()

from cache_stock import scripts  # noqa: E402 - Django first
from celery_app import app  # noqa: E402 - Django first
from tests.faults.points import after, before  # noqa: E402 - Django first
from ventas import batches, cold_start, persistence  # noqa: E402 - Django first

__all__ = ["app"]

POISON_CENTAVOS = 69_993  # 66.66 at 10.50
OTHERS_SELL_ON_S = 3.0  # a shop has twenty

persisting: Any = persistence
batching: Any = batches
commands: Any = scripts
starting: Any = cold_start

starting.OTHERS_SELL_ON_S = OTHERS_SELL_ON_S
batching.persist_all = before("P5", batching.persist_all)


def _killed_by_poison(write: Any) -> Any:
    """A sale of this total kills whoever is about to write it."""

    def wrapped(*, sales: Any, **more: Any) -> Any:
        if any(sale.total_centavos == POISON_CENTAVOS for sale in sales):
            os.kill(os.getpid(), signal.SIGKILL)
        return write(sales=sales, **more)

    return wrapped


persisting.write = _killed_by_poison(persisting.write)
persisting.number_terminals = after("P6", persisting.number_terminals)
persisting.settle = after("P8", before("P7", persisting.settle))
commands.warmup = before("P9", commands.warmup)
for name in ("clear", "load", "rehold", "arm"):
    setattr(commands, name, before("P10", getattr(commands, name)))
