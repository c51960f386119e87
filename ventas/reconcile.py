"""One tienda reconciled: its stock as cache_stock.reconcile compares it, and the holds of its failed sales."""

import logging
import time
from dataclasses import dataclass
from uuid import UUID

from cache_stock import figures, journal, reconcile
from cache_stock.scripts import StockError
from ventas import in_flight, recovery
from ventas.in_flight import Misheld

logger = logging.getLogger(__name__)

PATIENCE_S = 1.0


@dataclass(slots=True)
class Reconciled:
    """What was found, and what was done about it."""

    stock: reconcile.Report
    misheld: list[Misheld]
    done: list[str]

    @property
    def differences(self) -> int:
        """How many there are."""
        return len(self.stock.findings) + len(self.misheld)


def reconcile_tienda(*, tienda_id: UUID, repair: bool, patience_s: float = PATIENCE_S) -> Reconciled:
    """Compare a tienda, and mend it by the protocol where `repair`. Raises a StockError, ColdStartNeeded, and what
    Django does where PostgreSQL is away."""
    seen = reconcile.look(tienda_id=tienda_id)
    doubtful = set(_misheld(tienda_id)) if seen.report.armed else set()
    if seen.in_doubt or doubtful:
        time.sleep(patience_s)  # what was on its way has arrived by then
    report = reconcile.confirm(seen=seen)
    doubtful &= set(_misheld(tienda_id)) if doubtful and report.armed else set()
    misheld = sorted(doubtful, key=lambda sale: sale.venta_id)
    found = Reconciled(report, misheld, [])
    _note(found)
    if repair:
        found.done = _repair(found)
    return found


def _note(found: Reconciled) -> None:
    """For /metrics. What was found is worth more than its note, which a full Redis does not take."""
    try:
        figures.note_drift(tienda_id=found.stock.tienda_id, differences=found.differences)
    except StockError as error:
        logger.warning("what was found is not in stock_drift_products: %s", error)


def _misheld(tienda_id: UUID) -> list[Misheld]:
    return in_flight.misheld(tienda_id=tienda_id, now_ms=_now_ms())


def _repair(found: Reconciled) -> list[str]:
    """By a warmup where that does; a failed sale that holds nothing needs a cold start, which holds it again."""
    tienda_id = found.stock.tienda_id
    done = reconcile.repair(report=found.stock, now_ms=_now_ms())
    if any(sale.discarded for sale in found.misheld):
        done.append(f"{recovery.settle_discarded(tiendas=[tienda_id])} holds of discarded sales let go")
    for sale in found.misheld:
        if sale.held and not sale.discarded:
            journal.sweep_again(tienda_id=tienda_id, venta_id=sale.venta_id, at_ms=_now_ms())
            done.append(f"sale {sale.venta_id} is the sweep's again: it will be written, or fail where it can be seen")
    if any(not sale.held for sale in found.misheld):
        journal.disarm(tienda_id=tienda_id)
        done.append("disarmed: the cold start holds again what open failed sales ask for")
    return done


def _now_ms() -> int:
    return int(time.time() * 1000)
