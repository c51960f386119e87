"""The request side of a sale: hold its stock, publish it, and say no more than what is known.

No SQL on the way to a promise. PostgreSQL is asked only before a refusal, or for a key that is old enough to have been
forgotten by Redis.
"""

import enum
import logging
import time
from collections.abc import Collection
from dataclasses import replace
from functools import partial
from uuid import UUID, uuid4

import orjson
from django.conf import settings

from blend_pos import tracing
from blend_pos.ids import uuid_text
from cache_stock import reservation
from cache_stock.scripts import ReplyLost, StockError, StockRefused
from ventas import refusals
from ventas.gathering import GatheringPublisher
from ventas.messages import Pedido, UnreadableMessage, fingerprint, sale_payload
from ventas.metrics import REFUSALS, count_lookups, count_reservation
from ventas.orders import Answer, Order, wanted_products
from ventas.publisher import Outcome, open_link
from ventas.refusals import ColaNoDisponible, StockNoDisponible, TotalDemasiadoGrande, VentaAnulada

logger = logging.getLogger(__name__)

MOST_TOTAL_CENTAVOS = 10**14 - 1
TIME_TO_RELEASE_S = 0.5


class Decision(enum.Enum):
    """What follows from a publish."""

    PROMISE = "promise"
    RELEASE = "release"
    FOLLOW = "follow"


def decide(*, outcome: Outcome, armed_epoch: int | None, hold: reservation.Hold) -> Decision:
    """Promise only what is confirmed while Redis still holds it; give back only what provably went nowhere."""
    if outcome is Outcome.CONFIRMED and armed_epoch == hold.epoch:
        return Decision.PROMISE
    if outcome is Outcome.REFUSED and hold.created:
        return Decision.RELEASE
    return Decision.FOLLOW


def _fence(tiendas: Collection[UUID]) -> dict[UUID, int | None]:
    """The look after the confirm; what cannot be seen does not count as armed."""
    try:
        return reservation.seen_epochs(tiendas=tiendas)
    except StockError:
        return {}


PUBLISHER = GatheringPublisher(
    open_link=partial(open_link, settings.RABBITMQ_URL),
    fence=_fence,
    most_sales=settings.PUBLISH_BATCH_MAX_SALES,
    most_waiting=settings.PUBLISH_QUEUE_MAX_SALES,
)


def checkout(*, order: Order) -> Answer:
    """Take a sale. Raises a CheckoutError where it was not taken; an Answer that is not promised is to be followed."""
    lines = tuple((uuid_text(line.producto_id), line.cantidad_milli) for line in order.lines)
    huella = fingerprint(lines=lines, metodo_pago=order.metodo_pago, pagos=order.pagos)
    if order.client_key and refusals.older_than_answers(order=order):
        known = refusals.known_sale(order=order, huella=huella)
        if known is not None:
            return known
    pedido = Pedido(
        order.sold_at.isoformat(),
        order.cajero_id,
        uuid_text(order.terminal_id),
        order.metodo_pago,
        lines,
        pagos=order.pagos,
    )
    nonce = uuid4().hex
    try:
        held = _hold(order, huella, nonce, pedido)
    except reservation.ReservationRefused as refusal:
        return refusals.refuse(order=order, huella=huella, refusal=refusal)
    except StockRefused as error:
        raise StockNoDisponible from error
    except ReplyLost:
        return _to_follow(order)
    if isinstance(held, reservation.Persisted):
        return _persisted(order, huella, held.answer)
    try:
        return _publish(order, huella, nonce, held)
    except (UnreadableMessage, LookupError, TypeError):
        if held.created:
            raise
        logger.exception("hold %s of tienda %s cannot be read", order.venta_id, order.tienda_id)
        return _to_follow(order)


def _hold(order: Order, huella: str, nonce: str, pedido: Pedido) -> reservation.Hold | reservation.Persisted:
    """Hold the cart's stock, and count what became of that. Raises as reserve() does."""
    wanted = wanted_products(order.lines)
    try:
        with tracing.span("reserve"):
            held = reservation.reserve(
                tienda_id=order.tienda_id,
                venta_id=order.venta_id,
                huella=huella,
                nonce=nonce,
                wanted=wanted,
                pedido=pedido.encode(),
                now_ms=int(order.fecha.timestamp() * 1000),
                sweep_after_ms=settings.SWEEP_AFTER_MS,
                most_holds=settings.HOLDS_MAX_PER_TIENDA,
            )
    except reservation.ReservationRefused as refusal:
        count_reservation(REFUSALS[type(refusal)])
        count_lookups(products=len(wanted), refusal=refusal)
        raise
    except StockError as error:
        count_reservation("unavailable" if isinstance(error, StockRefused) else "reply_lost")
        raise
    count_reservation("persisted" if isinstance(held, reservation.Persisted) else "held")
    if isinstance(held, reservation.Hold) and held.created:
        count_lookups(products=len(wanted))
    return held


def _publish(order: Order, huella: str, nonce: str, hold: reservation.Hold) -> Answer:
    """The held sale goes out; an earlier hold of the same sale goes out as it was held."""
    pedido = Pedido.decode(hold.pedido)
    payload, total = sale_payload(
        tienda_id=order.tienda_id,
        venta_id=order.venta_id,
        huella=huella,
        epoch=hold.epoch,
        pedido=pedido,
        products=hold.products,
    )
    answer = Answer(order.venta_id, "RESERVADA", True, pedido.fecha, total, order.metodo_pago, len(order.lines))
    if total > MOST_TOTAL_CENTAVOS:
        if hold.created and _release(order, nonce):
            raise TotalDemasiadoGrande
        return replace(answer, promised=False)
    with tracing.span("publish") as span:
        published = PUBLISHER.publish(
            tienda_id=order.tienda_id,
            payload=orjson.dumps(payload),
            deadline=order.deadline - TIME_TO_RELEASE_S,
            carried=span.carry(order.venta_id),
        )
        span.note(outcome=published.outcome.value)
    decision = decide(outcome=published.outcome, armed_epoch=published.armed_epoch, hold=hold)
    if decision is Decision.PROMISE:
        return answer
    if decision is Decision.RELEASE and _release(order, nonce):
        raise ColaNoDisponible
    return replace(answer, promised=False)


def _release(order: Order, nonce: str) -> bool:
    """Give the hold back; False where refused or unanswered, and then the sale goes on."""
    try:
        return reservation.release(tienda_id=order.tienda_id, venta_id=order.venta_id, nonce=nonce)
    except StockError:
        return False


def _to_follow(order: Order) -> Answer:
    """The reply to reserve is lost: it may be held, so it is never refused; who follows it learns which."""
    return Answer(
        order.venta_id, "RESERVADA", False, order.sold_at.isoformat(), None, order.metodo_pago, len(order.lines)
    )


def _persisted(order: Order, huella: str, kept: str) -> Answer:
    """The answer that is kept; where that is none of ours, PostgreSQL's."""
    try:
        answer = orjson.loads(kept)
        if answer["estado"] == "PERSISTIDA":
            known = (answer["fecha"], answer["total"], answer["pago"], answer["lineas"])
            return Answer(order.venta_id, answer["estado"], True, *known)
    except (ValueError, LookupError, TypeError) as error:
        found = refusals.known_sale(order=order, huella=huella)
        if found is None:
            raise StockNoDisponible from error
        return found
    raise VentaAnulada


def new_deadline(*, arrival: float) -> float:
    """When a request that arrived at `arrival` (time.monotonic()) must be answered."""
    return min(arrival, time.monotonic()) + settings.CHECKOUT_DEADLINE_MS / 1000
