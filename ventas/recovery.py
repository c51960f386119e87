"""What brings a sale on when something died: the sweep, and the archive of failed sales. A timer never gives stock
back."""

import hashlib
import logging
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import partial
from time import monotonic
from uuid import UUID

import orjson
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from blend_pos.telling import in_one_line
from blend_pos.tiendas.locks import own_tienda, read_timeline
from blend_pos.tiendas.models import Tienda
from cache_stock import intake, journal, reservation, warmup
from cache_stock.scripts import StockError, StockRefused
from inventario import ledger
from ventas import broker, signatures
from ventas.messages import SaleMessage, UnreadableMessage, hold_payload, read_sale
from ventas.models import EstadoFalla, MotivoFalla, VentaFallida
from ventas.publisher import open_link, persist_message
from ventas.rows import FailedRow, known_sales, record_failed

logger = logging.getLogger(__name__)

SWEEP_MOST_HOLDS = 500
BACKLOG_MESSAGES = 10
PUBLISH_S = 3.0
SALES_A_QUERY = 500
MOST_ERROR = 2_000
UNSIGNED = "it does not carry our signature"
DONE = Q(estado__in=(EstadoFalla.DESCARTADA, EstadoFalla.PERSISTIDA))
HOLDS_NOTHING = DONE | Q(estado=EstadoFalla.ABIERTA, motivo=MotivoFalla.LAPIDA, con_reserva=False)
ANNULLED = orjson.dumps({"estado": "ANULADA"}).decode()

_link = open_link(settings.RABBITMQ_URL)


def sweep(*, now_ms: int) -> dict[str, int]:
    """One round over all tiendas: the brake set or taken off, overdue holds published again, cold tiendas warmed."""
    tiendas = list(Tienda.objects.filter(epoch__gt=0).values_list("id", flat=True))
    states = journal.survey(tiendas=tiendas, now_ms=now_ms)
    live: Counter[str] = Counter()
    for state in states:
        live[state.server] += state.live
    full = {server for server, holds in live.items() if holds > settings.HOLDS_MAX_PER_SERVER}
    for on in (False, True):
        _brake([state.tienda_id for state in states if (state.server in full) == on != state.braked], on=on)
    overdue = [state.tienda_id for state in states if state.overdue]
    try:
        published = _publish_overdue(overdue, now_ms) if overdue else 0
    finally:  # RabbitMQ or one node of several may be away: who is cold elsewhere sells all the same
        warmed = _warm_cold([state.tienda_id for state in states if state.wants_warmup], now_ms)
    return {"live": live.total(), "published": published, "warmed": warmed}


def _brake(tiendas: Sequence[UUID], *, on: bool) -> None:
    """A full Redis refuses the mark, as it refuses new holds; what is overdue is published all the same: that makes
    room."""
    for tienda_id in tiendas:
        try:
            journal.brake(tienda_id=tienda_id, on=on)
        except StockRefused as error:
            logger.warning("tienda %s is not braked: %s", tienda_id, error)


def _warm_cold(tiendas: Sequence[UUID], now_ms: int) -> int:
    """Those that were asked for; one that a full Redis refuses is asked for still, and keeps nothing else waiting."""
    warmed = 0
    for tienda_id in tiendas:
        try:
            warmup.warm_tienda(tienda_id=tienda_id, now_ms=now_ms, hurry=True)
            warmed += 1
        except warmup.ColdStartNeeded:
            logger.warning("tienda %s waits for a cold start", tienda_id)
        except StockRefused as error:
            logger.warning("tienda %s waits for its warmup: %s", tienda_id, error)
            continue
        journal.warmup_taken(tienda_id=tienda_id)
    return warmed


def _publish_overdue(tiendas: Sequence[UUID], now_ms: int) -> int:
    """Publish again what may be lost; where a tienda's Redis refuses, no other's waits. A long queue is a backlog, no
    loss: then nothing."""
    if broker.ready_sales_messages() > BACKLOG_MESSAGES:
        return 0
    published = 0
    for tienda_id in tiendas:
        try:
            claimed = reservation.claim_overdue(
                tienda_id=tienda_id,
                now_ms=now_ms,
                first_pause_ms=settings.SWEEP_AFTER_MS,
                longest_pause_ms=settings.SWEEP_BACKOFF_MAX_MS,
                most=SWEEP_MOST_HOLDS,
            )
        except StockRefused as error:
            logger.warning("tienda %s keeps its overdue holds: %s", tienda_id, error)
            continue
        payloads = _payloads_of(claimed)
        for start in range(0, len(payloads), settings.PUBLISH_BATCH_MAX_SALES):
            _publish_again(payloads[start : start + settings.PUBLISH_BATCH_MAX_SALES])
        published += len(payloads)
    return published


def _publish_again(piece: Sequence[tuple[UUID, bytes]]) -> None:
    message = persist_message([payload for _venta, payload in piece])
    outcome = _link.send(message, deadline=monotonic() + PUBLISH_S)
    ventas = {"ventas": " ".join(str(venta) for venta, _payload in piece)}
    logger.warning("%d overdue holds published again: %s", len(piece), outcome.value, extra=ventas)


def _payloads_of(holds: Sequence[reservation.LiveHold]) -> list[tuple[UUID, bytes]]:
    """What is to be published, and of which sale; an adjustment is finished here. What cannot be read stops none."""
    payloads = []
    for hold in holds:
        try:
            if intake.is_adjustment(hold):
                _finish_adjustment(hold)
            else:
                payload, _total = hold_payload(hold=hold)
                payloads.append((hold.venta_id, orjson.dumps(payload)))
        except (UnreadableMessage, ValueError, LookupError, AttributeError, TypeError):
            logger.exception("hold %s of tienda %s cannot be read; it stays", hold.venta_id, hold.tienda_id)
    return payloads


def _finish_adjustment(hold: reservation.LiveHold) -> None:
    """Sales that were claimed with it must not wait for it."""
    try:
        intake.finish_adjustment(hold=hold)
    except (StockError, OperationalError, InterfaceError) as error:
        logger.warning("adjustment %s is finished by a later round: %s", hold.venta_id, error)


def archive_failed(*, now: datetime) -> int:
    """Move queue.sales.failed to VentaFallida, sale by sale, before its TTL loses any. Raises broker.BrokerAway."""
    archived = 0
    with broker.failed_messages() as messages:
        for message in messages:
            archived += _archive(message, now)
            message.acknowledge()
    return archived


def _archive(message: broker.FailedMessage, now: datetime) -> int:
    why = in_one_line(str(message.headers.get("error") or _death_of(message)))[:MOST_ERROR]
    if not signatures.is_signed(message.body, message.headers.get(signatures.HEADER)):
        record_unreadable(bodies=[(_text_of(message), f"{UNSIGNED}; {why}")], now=now)
        return 1
    try:
        ventas = orjson.loads(message.body)[1]["ventas"]
        values = ventas if isinstance(ventas, list) else [ventas]
    except (ValueError, LookupError, TypeError):
        record_unreadable(bodies=[(_text_of(message), why)], now=now)
        return 1
    for value in values:
        try:
            sale = read_sale(value)
        except UnreadableMessage as error:
            record_unreadable(bodies=[(orjson.dumps(value).decode(), f"{why}; {error}")], now=now)
            continue
        record_failed_sale(sale=sale, error=why, now=now)
    return len(values)


def _text_of(message: broker.FailedMessage) -> str:
    return message.body.decode("utf-8", "backslashreplace")


def _death_of(message: broker.FailedMessage) -> str:
    """RabbitMQ's word for it, where it is that: whoever put the message here by hand may have written anything."""
    deaths = message.headers.get("x-death")
    death = deaths[0] if isinstance(deaths, list) and deaths else None
    return f"dead-lettered: {death.get('reason', 'unknown') if isinstance(death, dict) else 'unknown'}"


def record_failed_sale(*, sale: SaleMessage, error: str, now: datetime) -> bool:
    """Record a sale as failed, only where no Venta of it exists; its hold is kept. False where it is written.

    One of an older epoch holds nothing, and was promised to nobody: a cold start archives before it raises the epoch.
    """
    with transaction.atomic():
        epoch = own_tienda(tienda_id=sale.tienda_id)
        if epoch is None:
            record_unreadable(bodies=[(orjson.dumps(str(sale)).decode(), f"unknown tienda; {error}")], now=now)
            return True
        known = {row.huella for row in known_sales([(sale.tienda_id, sale.venta_id)])}
        if sale.huella in known:
            return False
        of_now = sale.epoch == epoch
        motivo = MotivoFalla.INTENTOS if of_now else MotivoFalla.EPOCA
        record_failed([FailedRow(sale, motivo, con_reserva=of_now, error=error)], now)
        transaction.on_commit(partial(_say_failed, sale, motivo))
        if of_now:
            transaction.on_commit(partial(_keep_hold, sale))
    return True


def _say_failed(sale: SaleMessage, motivo: MotivoFalla) -> None:
    """Not why: that is kept with it, for who may read it."""
    about = {"venta_id": str(sale.venta_id), "tienda": str(sale.tienda_id), "motivo": motivo.value}
    logger.error("a failed sale waits for a manager", extra=about)


def _keep_hold(sale: SaleMessage) -> None:
    try:
        reservation.keep_failed(tienda_id=sale.tienda_id, venta_id=sale.venta_id, huella=sale.huella)
    except StockError as error:
        # The sweep will publish it once more, and it will come back here.
        logger.warning("hold of failed sale %s not marked: %s", sale.venta_id, error)


def settle_discarded(*, tiendas: Sequence[UUID]) -> int:
    """Let go what failed sales of these tiendas hold that were discarded, or written, where the settlement did not
    reach Redis or a copy came late. The journal knows, however long ago that was. Raises a StockError."""
    settled = 0
    for tienda_id, ventas in journal.ventas(tiendas=tiendas).items():
        for start in range(0, len(ventas), SALES_A_QUERY):
            held = VentaFallida.objects.filter(tienda_id=tienda_id, venta_id__in=ventas[start : start + SALES_A_QUERY])
            for venta_id, huella in held.filter(HOLDS_NOTHING).values_list("venta_id", "huella"):
                assert venta_id is not None
                settled += _let_go_found(tienda_id, venta_id, huella)
    return settled


def _let_go_found(tienda_id: UUID, venta_id: UUID, huella: str) -> bool:
    """By what the hold says, whether or not its message can be read still. One that cannot be read stops no other."""
    try:
        hold = reservation.find_hold(tienda_id=tienda_id, venta_id=venta_id)
    except reservation.HoldUnreadable:
        logger.exception("hold %s of tienda %s cannot be read; it stays", venta_id, tienda_id)
        return False
    if hold is None or hold.huella != huella:
        return False
    productos = {product.producto_id for product in hold.products}
    return let_go(tienda_id=tienda_id, venta_id=venta_id, huella=huella, productos=productos)


def let_go(*, tienda_id: UUID, venta_id: UUID, huella: str, productos: Collection[UUID]) -> bool:
    """Drop what a discarded sale holds and keep word of it, with the balances of now; False where somebody tries it
    again. Raises a StockError.

    Redis is told under the tienda's exclusive lock: who tries it again holds it and records that under a shared one.
    """
    with transaction.atomic():
        own_tienda(tienda_id=tienda_id)
        if not VentaFallida.objects.filter(HOLDS_NOTHING, tienda=tienda_id, venta_id=venta_id, huella=huella).exists():
            return False
        _settle_annulled(tienda_id, venta_id, huella, productos)
    return True


def _settle_annulled(tienda_id: UUID, venta_id: UUID, huella: str, productos: Collection[UUID]) -> None:
    # Another cart under the same key may be written: its answer stays.
    answer = "" if known_sales([(tienda_id, venta_id)]) else ANNULLED
    balances = ledger.balances(productos=sorted(productos))
    reservation.settle(
        tienda_id=tienda_id,
        sales=[reservation.SettledSale(venta_id, huella, answer)],
        balances=[reservation.Balance(b.producto_id, int(b.saldo * 1000), b.version) for b in balances],
        answer_ttl_s=settings.ANSWER_TTL_S,
        timeline=read_timeline(),
    )


def record_unreadable(*, bodies: Sequence[tuple[str, str]], now: datetime) -> None:
    """Keep what cannot be read, as text, with why; the same body once."""
    for body, why in bodies:
        VentaFallida.objects.get_or_create(
            tienda=None,
            venta_id=None,
            huella=hashlib.sha256(body.encode()).hexdigest(),
            defaults={
                "motivo": MotivoFalla.ILEGIBLE,
                "error": why.replace("\x00", "\\0"),
                "cuerpo": body.replace("\x00", "\\0"),
                "registrada": now,
                "estado": EstadoFalla.ABIERTA,
            },
        )


def kept_sale(failed: VentaFallida) -> SaleMessage | None:
    """The sale of a row, or None: of what cannot be read no product is known, and its tombstone is all there is."""
    try:
        return None if failed.mensaje is None else read_sale(failed.mensaje)
    except UnreadableMessage:
        return None
