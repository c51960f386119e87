"""Why a sale is not taken, in the domain's words; before the last word, the key is looked up in PostgreSQL."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings

from cache_stock import reservation
from cache_stock.scripts import StockError
from ventas import selectors
from ventas.lookups import Lookups, NoAnswer
from ventas.orders import Answer, Order, OrderLine

LOOKUPS = Lookups()
Found = TypeVar("Found")
KNOWN_FOR_MS = (settings.ANSWER_TTL_S - 3600) * 1000
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


def older_than_answers(*, order: Order) -> bool:
    """A UUIDv7 says when it was made; past the time that answers are kept, only PostgreSQL knows."""
    made_ms = order.venta_id.int >> 80
    return order.venta_id.version == TIME_ORDERED and made_ms < order.fecha.timestamp() * 1000 - KNOWN_FOR_MS


def _ask(order: Order, question: Callable[[], Found]) -> Found:
    """Ask PostgreSQL within the sale's deadline. Raises BaseNoDisponible."""
    try:
        return LOOKUPS.ask(question, deadline=order.deadline)
    except NoAnswer as error:
        raise BaseNoDisponible from error


def known_sale(*, order: Order, huella: str) -> Answer | None:
    """The answer of this key's sale in PostgreSQL, or None: it may have been written before Redis forgot it.

    Raises BaseNoDisponible, ClaveReutilizada, VentaAnulada.
    """
    tienda_id, venta_id = order.tienda_id, order.venta_id
    venta = _ask(order, partial(selectors.find_sale, tienda_id=tienda_id, venta_id=venta_id))
    if venta is None:
        if _ask(order, partial(selectors.is_discarded, tienda_id=tienda_id, venta_id=venta_id)):
            raise VentaAnulada
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


def refuse(*, order: Order, huella: str, refusal: reservation.ReservationRefused) -> Answer:
    """Raise the CheckoutError that a refusal of the script is.

    Before one that ends the sale its key is looked up in PostgreSQL; the answer of a sale that is there.
    """
    if isinstance(refusal, reservation.NotArmed):
        raise SinArmar from refusal
    if isinstance(refusal, reservation.TooManyHolds):
        raise DemasiadasReservas from refusal
    known = known_sale(order=order, huella=huella) if order.client_key else None
    if known is not None:
        return known
    if isinstance(refusal, reservation.SaleConflict):
        raise ClaveReutilizada from refusal
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
    unknown = _ask(order, partial(selectors.unknown_products, tienda_id=order.tienda_id, productos=productos))
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
