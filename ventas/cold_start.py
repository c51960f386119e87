"""After Redis lost something, nothing sells until everything promised is written and the balances are loaded anew.

Claim, drain, raise the epoch, load, arm. It belongs to the Redis server: one drain for all of its tiendas. Two of
these at once are harmless: a token makes load and arm belong to one of them.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import orjson
from django.conf import settings
from django.db.models import Count, Q

from blend_pos.tiendas.locks import read_position, read_timeline
from blend_pos.tiendas.models import SONDA_ID, Tienda
from cache_stock import arming, journal, reservation
from ventas import broker, recovery
from ventas.messages import UnreadableMessage, hold_of, read_sale
from ventas.models import EstadoFalla, Venta, VentaFallida
from ventas.orders import LONGEST_WAIT

logger = logging.getLogger(__name__)

LEASE_MS = 6_000
POLL_S = 0.5
LONGEST_DRAIN_S = 120.0
OTHERS_SELL_ON_S = 20.0
KEEPING_UP_MESSAGES = 100  # where more are left it is the workers that the drain waits for, and nobody else has to stop


def run() -> list[UUID]:
    """Arm every tienda whose Redis is not the one that was armed last; those armed. Raises broker.BrokerAway."""
    disarm_other_histories()
    needed = _disarmed()
    armed = [tienda for tienda, epoch in needed.items() if epoch == 0 and arming.arm_new(tienda_id=tienda)]
    token = uuid4().hex
    claims = []
    for tienda, epoch in needed.items():
        claim = arming.claim(tienda_id=tienda, token=token, now_ms=_now_ms(), lease_ms=LEASE_MS) if epoch else None
        if claim is not None:
            claims.append((claim, epoch))
    if not claims:
        return armed
    if not drained(claims=[claim for claim, _epoch in claims], give_up_s=OTHERS_SELL_ON_S):
        if broker.unfinished_messages() <= KEEPING_UP_MESSAGES:
            claims += _stop_the_others(token)
        if not drained(claims=[claim for claim, _epoch in claims], give_up_s=LONGEST_DRAIN_S):
            return armed
    for claim, epoch in claims:
        done = arming.load_and_arm(
            claim=claim, seen_epoch=epoch, now_ms=_now_ms(), failed_holds=failed_holds, answers=answers
        )
        logger.warning("tienda %s %s", claim.tienda_id, "armed" if done else "left to another cold start")
        if done:
            armed.append(claim.tienda_id)
    return armed


def _now_ms() -> int:
    return int(time.time() * 1000)


def disarm_other_histories() -> None:
    """Redis armed with another PostgreSQL's past, or with an epoch that is not valid, promises what nobody will
    write."""
    tiendas = list(Tienda.objects.filter(epoch__gt=0).values_list("id", flat=True))
    armed = journal.armed_histories(tiendas=tiendas)
    # PostgreSQL after Redis: neither its epochs nor its log go back.
    epochs = dict(Tienda.objects.filter(id__in=armed).values_list("id", "epoch"))
    timeline, position = read_timeline(), read_position()
    moved_on = []
    for tienda, seen in armed.items():
        went_back = seen.position > position
        if seen.epoch == epochs[tienda] and seen.timeline == timeline and not went_back:
            if seen.position < position:
                moved_on.append(tienda)
            continue
        logger.error(
            "tienda %s disarmed: epoch %s of %s, timeline %s%s",
            *(tienda, seen.epoch, epochs[tienda], seen.timeline, ", PostgreSQL went back" if went_back else ""),
        )
        if went_back:
            journal.doubt_answers(tienda_id=tienda)
        journal.disarm(tienda_id=tienda)
    if moved_on:
        journal.note_position(tiendas=moved_on, position=position)


def _disarmed() -> dict[UUID, int]:
    """The tiendas that are not armed, with the epoch that PostgreSQL has; none of a Redis that does not answer. Closed
    ones sell nothing; the probe does."""
    sell = Q(is_active=True) | Q(pk=SONDA_ID)
    epochs = dict(Tienda.objects.filter(sell).values_list("id", "epoch"))
    armed = reservation.seen_epochs(tiendas=epochs)
    return {tienda: epochs[tienda] for tienda, epoch in armed.items() if epoch is None}


def _stop_the_others(token: str) -> list[tuple[arming.Claim, int]]:
    """The workers keep up, and tiendas that sell on keep the queue from ever being empty: claim those, too."""
    claims = []
    epochs = dict(Tienda.objects.filter(epoch__gt=0, is_active=True).values_list("id", "epoch"))
    for tienda, armed_epoch in reservation.seen_epochs(tiendas=epochs).items():
        if armed_epoch is None:
            continue
        logger.warning("tienda %s stops selling until the queue is empty", tienda)
        journal.disarm(tienda_id=tienda)
        claim = arming.claim(tienda_id=tienda, token=token, now_ms=_now_ms(), lease_ms=LEASE_MS)
        if claim is not None:
            claims.append((claim, epochs[tienda]))
    return claims


def drained(*, claims: Sequence[arming.Claim], give_up_s: float) -> bool:
    """Wait until every message is done: counted zero twice, a statistics interval apart, with the failed ones
    archived."""
    give_up = time.monotonic() + give_up_s
    empty_since: float | None = None
    while time.monotonic() < give_up:
        recovery.archive_failed(now=datetime.now(UTC))
        now = time.monotonic()
        if broker.unfinished_messages() > 0:
            empty_since = None
        elif empty_since is None:
            empty_since = now
        elif now - empty_since >= settings.STATISTICS_INTERVAL_MS / 1000:
            return True
        for claim in claims:
            arming.claim(tienda_id=claim.tienda_id, token=claim.token, now_ms=_now_ms(), lease_ms=LEASE_MS)
        time.sleep(POLL_S)
    logger.warning("the queues did not drain in %d s", give_up_s)
    return False


def failed_holds(tienda_id: UUID) -> list[arming.FailedHold]:
    """The holds of open failed sales, to be held again. A retry that the cold start has overtaken is open again."""
    waiting = VentaFallida.objects.filter(tienda_id=tienda_id, con_reserva=True)
    waiting.filter(estado=EstadoFalla.REINTENTADA).update(estado=EstadoFalla.ABIERTA)
    holds = []
    for failed in waiting.filter(estado=EstadoFalla.ABIERTA).iterator():
        try:
            sale = read_sale(failed.mensaje)
        except UnreadableMessage:
            logger.exception("failed sale %s holds nothing: its message cannot be read", failed.pk)
            continue
        pedido, products = hold_of(sale)
        lines = reservation.format_lines(products)
        holds.append(arming.FailedHold(sale.venta_id, sale.huella, pedido.encode(), lines))
    return holds


def answers(tienda_id: UUID) -> Iterator[reservation.SettledSale]:
    """What Redis is to know of sales that are done: those written in the last days, and every discarded one."""
    since = datetime.now(UTC) - timedelta(seconds=settings.ANSWER_TTL_S)
    # Bought at most LONGEST_WAIT before they were asked for; that bound is for the index, which is by `fecha`.
    bought = Venta.objects.filter(tienda_id=tienda_id, fecha__gte=since - LONGEST_WAIT)
    recent = bought.filter(persistida__gte=since).select_related("tienda")
    for venta in recent.annotate(items=Count("detalles")).iterator(chunk_size=1000):
        kept = {
            "estado": "PERSISTIDA",
            "fecha": venta.fecha.astimezone(venta.tienda.zone).isoformat(),
            "total": int(venta.total * 100),
            "pago": venta.metodo_pago,
            "lineas": venta.items,
        }
        yield reservation.SettledSale(venta.venta_id, venta.huella, orjson.dumps(kept).decode())
    discarded = VentaFallida.objects.filter(tienda_id=tienda_id, estado=EstadoFalla.DESCARTADA, venta_id__isnull=False)
    for failed in discarded.iterator(chunk_size=1000):
        assert failed.venta_id is not None
        if Venta.objects.filter(tienda_id=tienda_id, venta_id=failed.venta_id).exists():
            continue  # another cart under the key is written, and its answer counts
        yield reservation.SettledSale(failed.venta_id, failed.huella, recovery.ANNULLED)
