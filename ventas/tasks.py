"""The worker's entry: decode what arrived, one call, and say what became of it."""

import json
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import orjson
import structlog
from celery import Task, shared_task
from celery.exceptions import Reject
from django.conf import settings
from django.db import InterfaceError, OperationalError

from blend_pos import tracing
from blend_pos.telling import describe
from blend_pos.tiendas.models import Tienda
from cache_stock.scripts import StockError
from ventas import batches, cold_start, reconcile, recovery, topology
from ventas.broker import BrokerAway
from ventas.messages import SaleMessage, UnreadableMessage, decimal_text, read_sale, sale_as_payload
from ventas.metrics import count_broken, count_sales
from ventas.persistence import Verdict
from ventas.publisher import PERSIST_TASK, Outcome, open_link, persist_message

log = structlog.get_logger()
console = logging.getLogger("ventas.console")  # the specification's lines; blend_pos.logs says when they are printed

PUBLISH_AGAIN_S = 5.0
AWAY = (BrokerAway, StockError, OperationalError, InterfaceError)  # expected of maintenance: its next round tries again
RECONCILE_EXPIRES_S = 1_800
IDS_A_LINE = 100  # so that a line is one write of a pipe, 4,096 bytes
_link = open_link(settings.RABBITMQ_URL)


@shared_task(name=PERSIST_TASK, bind=True, throws=(Reject,))
def persist_sales(self: "Task[..., None]", *, ventas: list[dict[str, Any]]) -> None:
    """Persist the sales of one message, and acknowledge it only once each is written, or on its way to be tried
    again."""
    started = time.monotonic()
    sales, unreadable = _read(ventas)
    deliveries = int(getattr(self.request, "x-delivery-count", 0) or 0)
    # The second delivery is no longer put together with others; from the third on its sales are.
    again = deliveries > 1 or (not deliveries and bool((self.request.delivery_info or {}).get("redelivered")))
    try:
        if unreadable:
            batches.when_possible(lambda: recovery.record_unreadable(bodies=unreadable, now=datetime.now(UTC)))
        with tracing.batch(getattr(self.request, tracing.HEADER, None), ventas=len(sales)) as span:
            heard = partial(_announce, started, span)
            if again and len(sales) > 1:
                broken = batches.persist_one_by_one(sales=sales, deliveries=max(deliveries, 1), heard=heard)
            else:
                broken = batches.persist_all(sales=sales, heard=heard) if sales else []
            for sale, error in broken:
                _try_again(sale, attempt=self.request.retries + 1, error=error, heard=heard, span=span)
    except batches.StillAway as away:
        raise Reject(reason="postgresql", requeue=True) from away


def _read(ventas: object) -> tuple[list[SaleMessage], list[tuple[str, str]]]:
    """The sales of a message, and what of it cannot be read, with why."""
    sales, unreadable = [], []
    for value in ventas if isinstance(ventas, list) else [ventas]:
        try:
            sales.append(read_sale(value))
        except UnreadableMessage as error:
            # Not orjson: what another writer put on the queue may hold numbers and letters that it does not know.
            unreadable.append((json.dumps(value), str(error)))
    return sales, unreadable


def _try_again(sale: SaleMessage, *, attempt: int, error: Exception, heard: batches.Heard, span: tracing.Span) -> None:
    """Publish one sale alone with its attempts raised; where the broker refuses, the attempts that are left run
    here."""
    payload = orjson.dumps(sale_as_payload(sale))
    why = describe(error)
    carried = span.carry(sale.venta_id)
    while attempt < settings.SALE_ATTEMPTS:
        message = persist_message([payload], retries=attempt, carried=carried)
        count_broken(retried=True)
        span.tell("retried", [sale.venta_id])
        if _link.send(message, deadline=time.monotonic() + PUBLISH_AGAIN_S) is Outcome.CONFIRMED:
            return
        attempt += 1
        if not batches.persist_all(sales=[sale], heard=heard):
            return
    count_broken(retried=False)
    span.tell("failed", [sale.venta_id])
    message = persist_message([payload], retries=attempt, routing_key=topology.SALES_FAILED, error=why, carried=carried)
    if _link.send(message, deadline=time.monotonic() + PUBLISH_AGAIN_S) is not Outcome.CONFIRMED:
        batches.when_possible(lambda: recovery.record_failed_sale(sale=sale, error=why, now=datetime.now(UTC)))


def _announce(started: float, span: tracing.Span, verdict: Verdict) -> None:
    """Four lines for each sale on the console, one structured line for the batch."""
    seconds = time.monotonic() - started
    count_sales(written=len(verdict.fresh), known=len(verdict.known), failed=len(verdict.failed), seconds=seconds)
    for sale in verdict.fresh:
        console.info(
            "✅ Venta %s procesada exitosamente\n   Total: $%s\n   Items: %d\n   Método: %s",
            sale.venta_id,
            decimal_text(sale.total_centavos, 2),
            len(sale.items),
            sale.metodo_pago,
        )
    log.info(
        "batch persisted",
        fresh=len(verdict.fresh),
        known=len(verdict.known),
        failed=len(verdict.failed),
        seconds=round(seconds, 4),
        ventas=_ids(verdict.fresh[:IDS_A_LINE]),
    )
    for first in range(IDS_A_LINE, len(verdict.fresh), IDS_A_LINE):
        log.info("batch persisted, more of it", ventas=_ids(verdict.fresh[first : first + IDS_A_LINE]))
    for first in range(0, len(verdict.known), IDS_A_LINE):
        log.info("written before", ventas=_ids(verdict.known[first : first + IDS_A_LINE]))
    for sale, motivo in verdict.failed:
        log.warning("not written", venta_id=str(sale.venta_id), tienda=str(sale.tienda_id), motivo=motivo.value)
    _trace(span, verdict)


def _trace(span: tracing.Span, verdict: Verdict) -> None:
    span.tell("written", (sale.venta_id for sale in verdict.fresh))
    span.tell("known", (sale.venta_id for sale in verdict.known))
    for sale, motivo in verdict.failed:
        span.tell(motivo.value, [sale.venta_id])


def _ids(sales: Sequence[SaleMessage]) -> str:
    return " ".join(str(sale.venta_id) for sale in sales)


@shared_task(name="ventas.sweep", throws=AWAY)
def sweep() -> None:
    """Publish overdue holds again, keep the bound on live holds, warm what was found cold."""
    recovery.sweep(now_ms=int(time.time() * 1000))


@shared_task(name="ventas.archive_failed", throws=AWAY)
def archive_failed() -> None:
    """Move what lies in queue.sales.failed to VentaFallida, and let go what discarded sales still hold."""
    recovery.archive_failed(now=datetime.now(UTC))
    recovery.settle_discarded(tiendas=list(Tienda.objects.filter(epoch__gt=0).values_list("id", flat=True)))


@shared_task(name="ventas.cold_start", throws=AWAY)
def cold_start_if_needed() -> None:
    """Arm the tiendas whose Redis is not the one that was armed last."""
    cold_start.run()


@shared_task(name="ventas.reconcile", throws=AWAY)
def reconcile_all() -> None:
    """Ask for the reconciliation of each active tienda; one at a time, so that a sweep comes in between."""
    for tienda_id in Tienda.objects.filter(is_active=True).values_list("id", flat=True):
        reconcile_one.apply_async(kwargs={"tienda_id": str(tienda_id)}, expires=RECONCILE_EXPIRES_S)


@shared_task(name="ventas.reconcile_one", throws=AWAY)
def reconcile_one(*, tienda_id: str) -> int:
    """Compare one tienda and report what differs: a metric, a log line each. It repairs nothing. Returns how many."""
    found = reconcile.reconcile_tienda(tienda_id=UUID(tienda_id), repair=False)
    for finding in found.stock.findings:
        log.error("stock differs", tienda=tienda_id, what=finding.what, name=finding.name, **finding.seen)
    for sale in found.misheld:
        log.error("held for nobody" if sale.held else "not held", tienda=tienda_id, venta_id=str(sale.venta_id))
    return found.differences
