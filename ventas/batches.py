"""How a batch is persisted when something is wrong with it, or with PostgreSQL.

PostgreSQL away or read-only, a deadlock or a serialization failure are nobody's fault: wait, and persist the same
again.
Anything else breaks the batch in halves, each in its own transaction, until the sale that breaks it stands alone.
"""

import logging
import random
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from django.conf import settings
from django.db import DatabaseError, InterfaceError, InternalError, OperationalError, connection

from blend_pos import tracing
from blend_pos.telling import describe
from cache_stock.scripts import StockError
from ventas import persistence
from ventas.messages import SaleMessage
from ventas.persistence import Verdict

logger = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 1.0
# Django calls them internal errors: read-only for now (a standby, a disk that is nearly full), and a transaction that
# PostgreSQL ended because its worker stood still in it.
NOT_NOW = {"25006", "25P03", "25P04"}

Broken = list[tuple[SaleMessage, Exception]]
Heard = Callable[[Verdict], None]
Result = TypeVar("Result")


class StillAway(Exception):
    """PostgreSQL did not come back in time; the message goes back to its queue."""


def persist_all(*, sales: Sequence[SaleMessage], heard: Heard) -> Broken:
    """Persist a batch together, in halves where it breaks; the sales that break alone, with why."""
    try:
        heard(_persist_when_possible(sales))
    except StillAway:
        raise
    except Exception as error:
        if len(sales) == 1:
            logger.exception("sale cannot be persisted", extra={"venta_id": str(sales[0].venta_id)})
            return [(sales[0], error)]
        logger.warning("a batch of %d broke: persisting its halves", len(sales), exc_info=error)
        middle = len(sales) // 2
        return persist_all(sales=sales[:middle], heard=heard) + persist_all(sales=sales[middle:], heard=heard)
    return []


def persist_one_by_one(*, sales: Sequence[SaleMessage], deliveries: int, heard: Heard) -> Broken:
    """A message that comes again may hold a sale that kills its worker: each alone, from the front and the back in
    turn."""
    broken: Broken = []
    for sale in sales if deliveries % 2 else reversed(sales):
        broken += persist_all(sales=[sale], heard=heard)
    return broken


def when_possible(write: Callable[[], Result]) -> Result:
    """Write, waiting for PostgreSQL with back-off and a bound. `write` may run twice: an unknown COMMIT is harmless so.

    Raises StillAway, and whatever else `write` raises.
    """
    give_up = time.monotonic() + settings.PAUSE_WITHOUT_POSTGRESQL_MAX_S
    pause_s = FIRST_PAUSE_S
    while True:
        try:
            return write()
        except (OperationalError, InterfaceError, InternalError) as error:
            if isinstance(error, InternalError) and _sqlstate(error) not in NOT_NOW:
                raise
            connection.close()
            if time.monotonic() > give_up:
                raise StillAway from error
            logger.warning("PostgreSQL is away, or busy: %s", describe(error))
        time.sleep(pause_s * random.uniform(0.5, 1.0))
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)


def _sqlstate(error: DatabaseError) -> str | None:
    state: str | None = getattr(error.__cause__, "sqlstate", None)
    return state


def _persist_when_possible(sales: Sequence[SaleMessage]) -> Verdict:
    with tracing.span("write", ventas=len(sales)):
        written = when_possible(lambda: persistence.write(sales=sales, now=datetime.now(UTC)))
    try:
        with tracing.span("settle"):
            persistence.settle(written=written)
    except StockError as error:
        # It is committed. The holds are settled when the sweep has these sales persisted again.
        logger.warning("%d sales are written and not settled yet: %s", len(sales), error)
    return written.verdict
