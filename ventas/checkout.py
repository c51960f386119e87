"""The request side of a sale: hold its stock, publish it, and say no more than what is known.

No SQL on the way to a promise. PostgreSQL is asked only before a refusal, or for a key that is old enough to have been
forgotten by Redis.
"""

import enum
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.conf import settings
from django.db import InterfaceError, OperationalError

from cache_stock import reservation
from cache_stock.scripts import ReplyLost, StockError, StockRefused
from ventas import selectors
from ventas.gathering import GatheringPublisher
from ventas.messages import Pedido, fingerprint, sale_payload
from ventas.publisher import Outcome, open_link

KNOWN_FOR_MS = (settings.ANSWER_TTL_S - 3600) * 1000
MOST_TOTAL_CENTAVOS = 10**14 - 1
TIME_TO_RELEASE_S = 0.5
NO_SUCH_PRICE = "differs"
TIME_ORDERED = 7  # a UUIDv7 begins with the milliseconds of its making


class CheckoutError(Exception):
    """A sale that was not taken; nothing is held."""


class StockInsuficiente(CheckoutError):
    """Some products are short; `detalles` has each, with what was asked and what there is, in its unit."""

    def __init__(self, detalles: list[dict[str, Any]]) -> None:
        super().__init__(detalles)
        self.detalles = detalles


class ProductoNoExiste(CheckoutError):
    """Some products are unknown, another tienda's, or not sold; `detalles` has each."""

    def __init__(self, productos: Sequence[UUID]) -> None:
        super().__init__(productos)
        self.detalles = [{"producto_id": producto} for producto in productos]


class PrecioCambiado(CheckoutError):
    """Some prices are others than the customer was shown; `detalles` has both."""

    def __init__(self, detalles: list[dict[str, Any]]) -> None:
        super().__init__(detalles)
        self.detalles = detalles


class ClaveReutilizada(CheckoutError):
    """The Idempotency-Key belongs to another sale of this tienda."""


class VentaAnulada(CheckoutError):
    """The sale of this key was discarded by a supervisor."""


class TotalDemasiadoGrande(CheckoutError):
    """The total has more digits than an amount can have."""


class NoDisponible(CheckoutError):
    """Nothing is wrong with the sale: send it again, with the same key, after `retry_after_s`."""

    retry_after_s = 2


class SinArmar(NoDisponible):
    """Redis lost something: a cold start is needed, or under way."""

    retry_after_s = 5


class CacheFrio(NoDisponible):
    """The products are not in the cache; their tienda is being warmed."""


class DemasiadasReservas(NoDisponible):
    """More live holds than the bound: the workers are behind."""

    retry_after_s = 5


class StockNoDisponible(NoDisponible):
    """Redis refused, or cannot be reached."""


class ColaNoDisponible(NoDisponible):
    """The broker did not take the sale; its stock is back."""


class BaseNoDisponible(NoDisponible):
    """PostgreSQL does not answer, and had to be asked."""


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line of a cart: whole thousandths, and the price that the customer was shown, cents, if the till sent it."""

    producto_id: UUID
    cantidad_milli: int
    precio_centavos: int | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be sold, by whom, and until when it must be answered (`deadline`, time.monotonic())."""

    tienda_id: UUID
    cajero_id: int
    terminal_id: UUID
    venta_id: UUID
    client_key: bool
    metodo_pago: str
    lines: tuple[OrderLine, ...]
    fecha: datetime
    deadline: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What is known of the sale. `promised`: it will be written whatever happens. Total in cents; None where
    unknown yet."""

    venta_id: UUID
    estado: str
    promised: bool
    fecha: str
    total_centavos: int | None
    metodo_pago: str
    cantidad_items: int


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
        return reservation.armed_epochs(tiendas=list(tiendas))
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
    lines = [(line.producto_id, line.cantidad_milli) for line in order.lines]
    huella = fingerprint(lines=lines, metodo_pago=order.metodo_pago)
    if order.client_key and _older_than_answers(order):
        known = _known_sale(order, huella)
        if known is not None:
            return known
    pedido = Pedido(
        order.fecha.isoformat(),
        order.cajero_id,
        str(order.terminal_id),
        order.metodo_pago,
        tuple((str(producto), cantidad) for producto, cantidad in lines),
    )
    nonce = uuid4().hex
    try:
        held = reservation.reserve(
            tienda_id=order.tienda_id,
            venta_id=order.venta_id,
            huella=huella,
            nonce=nonce,
            wanted=wanted_products(order.lines),
            pedido=pedido.encode(),
            now_ms=int(order.fecha.timestamp() * 1000),
            sweep_after_ms=settings.SWEEP_AFTER_MS,
            most_holds=settings.HOLDS_MAX_PER_TIENDA,
        )
    except reservation.ReservationRefused as refusal:
        return _refused(order, huella, refusal)
    except StockRefused as error:
        raise StockNoDisponible from error
    except ReplyLost:
        return _to_follow(order)
    if isinstance(held, reservation.Persisted):
        return _persisted(order, held.answer)
    return _publish(order, huella, nonce, held)


def wanted_products(lines: Sequence[OrderLine]) -> list[reservation.Wanted]:
    """Each distinct product once, its lines summed. Two lines that were shown different prices can't both be right."""
    wanted: dict[UUID, reservation.Wanted] = {}
    for line in lines:
        cantidad_milli = line.cantidad_milli
        expected = "" if line.precio_centavos is None else str(line.precio_centavos)
        before = wanted.get(line.producto_id)
        if before is not None:
            cantidad_milli += before.cantidad_milli
            if before.expected_price and expected and before.expected_price != expected:
                expected = NO_SUCH_PRICE
            expected = expected or before.expected_price
        wanted[line.producto_id] = reservation.Wanted(line.producto_id, cantidad_milli, expected)
    return list(wanted.values())


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
        return _unpromised(answer)
    published = PUBLISHER.publish(
        tienda_id=order.tienda_id, payload=orjson.dumps(payload), deadline=order.deadline - TIME_TO_RELEASE_S
    )
    decision = decide(outcome=published.outcome, armed_epoch=published.armed_epoch, hold=hold)
    if decision is Decision.PROMISE:
        return answer
    if decision is Decision.RELEASE and _release(order, nonce):
        raise ColaNoDisponible
    return _unpromised(answer)


def _release(order: Order, nonce: str) -> bool:
    """Give the hold back; False where refused or unanswered, and then the sale goes on."""
    try:
        return reservation.release(tienda_id=order.tienda_id, venta_id=order.venta_id, nonce=nonce)
    except StockError:
        return False


def _unpromised(answer: Answer) -> Answer:
    return Answer(
        answer.venta_id,
        answer.estado,
        False,
        answer.fecha,
        answer.total_centavos,
        answer.metodo_pago,
        answer.cantidad_items,
    )


def _to_follow(order: Order) -> Answer:
    """The reply to reserve is lost: it may be held, so it is never refused; who follows it learns which."""
    return Answer(
        order.venta_id, "RESERVADA", False, order.fecha.isoformat(), None, order.metodo_pago, len(order.lines)
    )


def _persisted(order: Order, kept: str) -> Answer:
    answer = orjson.loads(kept)
    if answer["estado"] != "PERSISTIDA":
        raise VentaAnulada
    return Answer(
        order.venta_id, answer["estado"], True, answer["fecha"], answer["total"], answer["pago"], answer["lineas"]
    )


def _older_than_answers(order: Order) -> bool:
    """A UUIDv7 says when it was made; past the time that answers are kept, only PostgreSQL knows."""
    made_ms = order.venta_id.int >> 80
    return order.venta_id.version == TIME_ORDERED and made_ms < order.fecha.timestamp() * 1000 - KNOWN_FOR_MS


def _known_sale(order: Order, huella: str) -> Answer | None:
    """The sale of this key in PostgreSQL: it may have been written before Redis forgot it."""
    try:
        venta = selectors.find_sale(tienda_id=order.tienda_id, venta_id=order.venta_id)
    except (OperationalError, InterfaceError) as error:
        raise BaseNoDisponible from error
    if venta is None:
        return None
    if venta.huella != huella:
        raise ClaveReutilizada
    return Answer(
        order.venta_id,
        "PERSISTIDA",
        True,
        venta.fecha,
        venta.total_centavos,
        venta.metodo_pago,
        venta.cantidad_items,
    )


def _refused(order: Order, huella: str, refusal: reservation.ReservationRefused) -> Answer:
    """The domain's word for a refusal; before one that ends the sale, the key is looked up in PostgreSQL."""
    if isinstance(refusal, reservation.SaleConflict):
        raise ClaveReutilizada from refusal
    if isinstance(refusal, reservation.NotArmed):
        raise SinArmar from refusal
    if isinstance(refusal, reservation.TooManyHolds):
        raise DemasiadasReservas from refusal
    known = _known_sale(order, huella) if order.client_key else None
    if known is not None:
        return known
    if isinstance(refusal, reservation.Insufficient):
        raise StockInsuficiente(_missing(order.lines, refusal.available)) from refusal
    if isinstance(refusal, reservation.PriceDiffers):
        raise PrecioCambiado(_changed(order.lines, refusal.prices)) from refusal
    if isinstance(refusal, reservation.NotActive):
        raise ProductoNoExiste(refusal.productos) from refusal
    assert isinstance(refusal, reservation.NotCached)
    raise _not_cached(order, refusal.productos) from refusal


def _not_cached(order: Order, productos: Sequence[UUID]) -> CheckoutError:
    """Unknown products are a 404; known ones are cold, and their tienda is warmed so that the retry works."""
    try:
        unknown = selectors.unknown_products(tienda_id=order.tienda_id, productos=productos)
    except (OperationalError, InterfaceError):
        return BaseNoDisponible()
    if unknown:
        return ProductoNoExiste(unknown)
    try:
        reservation.ask_for_warmup(tienda_id=order.tienda_id)
    except StockError:
        return StockNoDisponible()
    return CacheFrio()


def _missing(lines: Sequence[OrderLine], available: Mapping[UUID, int]) -> list[dict[str, Any]]:
    asked: dict[UUID, int] = {}
    for line in lines:
        asked[line.producto_id] = asked.get(line.producto_id, 0) + line.cantidad_milli
    return [
        {
            "producto_id": producto,
            "solicitado": Decimal(asked[producto]).scaleb(-3),
            "disponible": Decimal(max(0, there)).scaleb(-3),
        }
        for producto, there in available.items()
    ]


def _changed(lines: Sequence[OrderLine], prices: Mapping[UUID, int]) -> list[dict[str, Any]]:
    return [
        {
            "producto_id": line.producto_id,
            "precio": Decimal(line.precio_centavos).scaleb(-2),
            "precio_actual": Decimal(prices[line.producto_id]).scaleb(-2),
        }
        for line in lines
        if line.precio_centavos is not None
        and line.producto_id in prices
        and line.precio_centavos != prices[line.producto_id]
    ]


def new_deadline(*, arrival: float) -> float:
    """When a request that arrived at `arrival` (time.monotonic()) must be answered."""
    return min(arrival, time.monotonic()) + settings.CHECKOUT_DEADLINE_MS / 1000
