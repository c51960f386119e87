"""PostgreSQL -> Redis: write what is committed, guarded by versions, so that it may be old and may come twice."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TypeVar
from uuid import UUID

from cache_stock import keys, scripts
from cache_stock.rows import PRODUCTS_A_CALL, Row, as_arguments, pages

ATTEMPTS = 3
RETRY_AFTER_S = 5
MOST_REST_S = 0.05  # between two calls: an overloaded server must not make a warmup endless

logger = logging.getLogger(__name__)

Outcome = TypeVar("Outcome")
Progress = Callable[[int], object]


class ColdStartNeeded(Exception):
    """This Redis is not the one that the tienda was armed on last: the cold start that beat runs comes first."""

    retry_after_s = RETRY_AFTER_S

    def __init__(self, tienda_id: UUID) -> None:
        super().__init__(tienda_id)
        self.tienda_id = tienda_id


@dataclass(frozen=True, slots=True)
class Carried:
    """Products that were carried, those of them that are sold, and the balances that Redis knew better already."""

    products: int = 0
    active: int = 0
    stale: int = 0

    def __add__(self, other: "Carried") -> "Carried":
        return Carried(self.products + other.products, self.active + other.active, self.stale + other.stale)


def carry_tienda(
    *,
    tienda_id: UUID,
    now_ms: int,
    changed_since: datetime | None = None,
    progress: Progress | None = None,
    rests: bool = True,
) -> Carried:
    """Carry all products of a tienda, or those that changed since. `progress` hears of each call's number of products.

    `rests`: after each call to Redis for as long as it took, MOST_REST_S at most; not where somebody waits to sell what
    is carried.
    Raises ColdStartNeeded, a StockError, rows.InsideTransaction.
    """
    total = Carried()
    for page in pages(tienda_id=tienda_id, changed_since=changed_since):
        for start in range(0, len(page), PRODUCTS_A_CALL):
            started = time.monotonic()
            carried = carry_rows(tienda_id=tienda_id, rows=page[start : start + PRODUCTS_A_CALL], now_ms=now_ms)
            total += carried
            if progress is not None:
                progress(carried.products)
            if rests:  # nothing is waited for: half of the time Redis and the cores are left to who sells
                time.sleep(min(time.monotonic() - started, MOST_REST_S))
    return total


def carry_rows(*, tienda_id: UUID, rows: Sequence[Row], now_ms: int) -> Carried:
    """Carry one call's worth of rows. Raises ColdStartNeeded, a StockError."""
    names = [keys.meta(tienda_id), keys.loaded(tienda_id), *stock_keys(tienda_id, rows)]
    arguments = [now_ms, *as_arguments(rows)]
    outcome = insist(partial(scripts.warmup, keys=names, arguments=arguments))
    if outcome is None:
        raise ColdStartNeeded(tienda_id)
    return Carried(len(rows), sum(row.activo for row in rows), outcome[1])


def insist(command: Callable[[], Outcome]) -> Outcome:
    """Run an idempotent command; a lost reply costs nothing, it is sent again, a bounded number of times."""
    for _attempt in range(1, ATTEMPTS):
        try:
            return command()
        except scripts.ReplyLost as error:
            logger.warning("sent again: %s", error)
    return command()


def stock_keys(tienda_id: UUID, rows: Sequence[Row]) -> list[str]:
    """The stock key of each row."""
    prefix = keys.stock_prefix(tienda_id)
    return [prefix + row.producto for row in rows]
