"""The sale message: frozen dataclasses <-> the JSON that travels.

On the wire quantities and money are decimal strings ("1.500", "12.50"), so that they are exact in every language
and for COPY; here quantities are whole thousandths, money whole cents, tax rates hundredths of a percent.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import orjson

from blend_pos.ids import known_uuid, uuid_text
from cache_stock.reservation import HeldProduct, LiveHold
from ventas.models import MetodoPago
from ventas.payments import Payment, add_up, decode_payments, encode_payments, kind_of

SCHEMA = 1
MOST_LINES = 1_000
MOST_DIGITS = 24
MOST_WHOLE = 2**63
METHODS = frozenset(MetodoPago.values)
YEARS = range(2000, 9999)  # any zone can show it


class UnreadableMessage(Exception):
    """The message is no sale of a schema that this release knows."""


@dataclass(frozen=True, slots=True)
class SaleItem:
    """One line as sold."""

    producto_id: UUID
    cantidad_milli: int
    precio_centavos: int
    impuesto: int
    importe_centavos: int


@dataclass(frozen=True, slots=True)
class SaleMessage:
    """One sale, as published; `huella` is the fingerprint of what was asked, `epoch` that of its hold."""

    tienda_id: UUID
    venta_id: UUID
    huella: str
    epoch: int
    fecha: datetime
    cajero_id: int
    terminal_id: UUID
    metodo_pago: str
    total_centavos: int
    items: tuple[SaleItem, ...]
    pagos: tuple[Payment, ...] = ()


def fingerprint(*, lines: Sequence[tuple[UUID | str, int]], metodo_pago: str, pagos: Sequence[Payment] = ()) -> str:
    """SHA-256 of what makes a sale the same sale: its lines (producto, thousandths) in order, and how it is paid."""
    text = ";".join(f"{producto} {cantidad}" for producto, cantidad in lines)
    paid = orjson.dumps(encode_payments(pagos)) if pagos else b""
    return hashlib.sha256(f"{metodo_pago};{text}".encode() + paid).hexdigest()


def line_amount(*, cantidad_milli: int, precio_centavos: int) -> int:
    """Cents of one line, rounded half up, once."""
    return (cantidad_milli * precio_centavos + 500) // 1000


def decimal_text(value: int, places: int) -> str:
    """A non-negative whole number of 10^-places units as decimal text."""
    digits = str(value).zfill(places + 1)
    return f"{digits[:-places]}.{digits[-places:]}"


@dataclass(frozen=True, slots=True)
class Pedido:
    """What the request asked, kept in the hold. `precios` freezes prices where the sale was made earlier (a retry)."""

    fecha: str
    cajero_id: int
    terminal_id: str
    metodo_pago: str
    lines: tuple[tuple[str, int], ...]
    precios: tuple[tuple[int, int], ...] | None = None
    pagos: tuple[Payment, ...] = ()

    def encode(self) -> str:
        """As the hold keeps it."""
        value: dict[str, Any] = {
            "fecha": self.fecha,
            "cajero": self.cajero_id,
            "terminal": self.terminal_id,
            "pago": self.metodo_pago,
            "lineas": self.lines,
        }
        if self.precios is not None:
            value["precios"] = self.precios
        if self.pagos:
            value["pagos"] = encode_payments(self.pagos)
        return orjson.dumps(value).decode()

    @classmethod
    def decode(cls, text: str) -> "Pedido":
        """The other way round. Raises UnreadableMessage."""
        try:
            value = orjson.loads(text)
            precios = value.get("precios")
            return cls(
                value["fecha"],
                value["cajero"],
                value["terminal"],
                value["pago"],
                tuple((producto, cantidad) for producto, cantidad in value["lineas"]),
                None if precios is None else tuple((precio, impuesto) for precio, impuesto in precios),
                decode_payments(value.get("pagos", ())),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UnreadableMessage(f"pedido: {error}") from error


def sale_payload(
    *, tienda_id: UUID, venta_id: UUID, huella: str, epoch: int, pedido: Pedido, products: Sequence[HeldProduct]
) -> tuple[dict[str, Any], int]:
    """The sale as it travels, and its total in cents. Prices are those that the hold was made with."""
    held = {uuid_text(product.producto_id): (product.precio_centavos, product.impuesto) for product in products}
    items, total = [], 0
    for number, (producto, cantidad_milli) in enumerate(pedido.lines):
        precio, impuesto = held[producto] if pedido.precios is None else pedido.precios[number]
        importe = line_amount(cantidad_milli=cantidad_milli, precio_centavos=precio)
        total += importe
        items.append(
            {
                "producto_id": producto,
                "cantidad": decimal_text(cantidad_milli, 3),
                "precio": decimal_text(precio, 2),
                "impuesto": decimal_text(impuesto, 2),
                "importe": decimal_text(importe, 2),
            }
        )
    payload: dict[str, Any] = {
        "esquema": SCHEMA,
        "tienda_id": uuid_text(tienda_id),
        "venta_id": str(venta_id),
        "huella": huella,
        "epoch": epoch,
        "timestamp": pedido.fecha,
        "cajero_id": pedido.cajero_id,
        "terminal_id": pedido.terminal_id,
        "metodo_pago": pedido.metodo_pago,
        "total": decimal_text(total, 2),
        "items": items,
    }
    if pedido.pagos:
        payload["pagos"] = [_payment_payload(payment) for payment in pedido.pagos]
    return payload, total


def hold_payload(*, hold: LiveHold) -> tuple[dict[str, Any], int]:
    """The sale of a live hold as it travels, and its total in cents. Raises UnreadableMessage, and LookupError where
    the hold does not have what its request asks."""
    return sale_payload(
        tienda_id=hold.tienda_id,
        venta_id=hold.venta_id,
        huella=hold.huella,
        epoch=hold.epoch,
        pedido=Pedido.decode(hold.pedido),
        products=hold.products,
    )


def _payment_payload(payment: Payment) -> dict[str, Any]:
    value = {"metodo": payment.metodo, "importe": decimal_text(payment.importe_centavos, 2)}
    if payment.recibido_centavos is not None:
        value["recibido"] = decimal_text(payment.recibido_centavos, 2)
    if payment.referencia:
        value["referencia"] = payment.referencia
    return value


def _number(value: object, places: int) -> int:
    """Whole 10^-places units from decimal text; refuses signs, exponents and more decimals."""
    if type(value) is str and len(value) <= MOST_DIGITS and value.isascii():
        whole, _point, decimals = value.partition(".")
        if len(decimals) == places and whole.isdigit() and decimals.isdigit():  # as this project writes it
            return int(whole + decimals)
    if not isinstance(value, str) or len(value) > MOST_DIGITS or not value.replace(".", "", 1).isdecimal():
        raise UnreadableMessage(f"no decimal text: {value!r:.40}")
    scaled = Decimal(value).scaleb(places)
    if scaled != int(scaled):
        raise UnreadableMessage(f"more than {places} decimals: {value!r:.40}")
    return int(scaled)


def _item(value: Mapping[str, Any]) -> SaleItem:
    item = SaleItem(
        known_uuid(value["producto_id"]),
        _number(value["cantidad"], 3),
        _number(value["precio"], 2),
        _number(value["impuesto"], 2),
        _number(value["importe"], 2),
    )
    if item.cantidad_milli == 0:
        raise UnreadableMessage("a line of nothing")
    if item.importe_centavos != line_amount(cantidad_milli=item.cantidad_milli, precio_centavos=item.precio_centavos):
        raise UnreadableMessage("a line's importe is not cantidad by precio")
    return item


def _payment(value: Mapping[str, Any]) -> Payment:
    recibido = value.get("recibido")
    payment = Payment(
        value["metodo"],
        _number(value["importe"], 2),
        None if recibido is None else _number(recibido, 2),
        value.get("referencia", ""),
    )
    if not payment.is_sound:
        raise UnreadableMessage("a payment that cannot be")
    return payment


def _check_payments(sale: SaleMessage) -> None:
    if sale.pagos and add_up(sale.pagos) != sale.total_centavos:
        raise UnreadableMessage("the payments do not add up to the total")
    if sale.pagos and kind_of(sale.pagos) != sale.metodo_pago:
        raise UnreadableMessage("metodo_pago is not that of the payments")


def read_sale(value: object) -> SaleMessage:
    """A sale from what travelled; every field checked. Raises UnreadableMessage."""
    if not isinstance(value, dict) or value.get("esquema") != SCHEMA:
        raise UnreadableMessage("no sale of a known schema")
    try:
        if not 0 < len(value["items"]) <= MOST_LINES:
            raise UnreadableMessage(f"from 1 to {MOST_LINES} lines")
        if value["metodo_pago"] not in METHODS:
            raise UnreadableMessage("metodo_pago is none that is known")
        sale = SaleMessage(
            tienda_id=known_uuid(value["tienda_id"]),
            venta_id=UUID(value["venta_id"]),
            huella=value["huella"],
            epoch=value["epoch"],
            fecha=datetime.fromisoformat(value["timestamp"]),
            cajero_id=value["cajero_id"],
            terminal_id=known_uuid(value["terminal_id"]),
            metodo_pago=value["metodo_pago"],
            total_centavos=_number(value["total"], 2),
            items=tuple(_item(item) for item in value["items"]),
            pagos=tuple(_payment(payment) for payment in value.get("pagos", ())),
        )
    except (KeyError, ValueError, TypeError, AttributeError, InvalidOperation) as error:
        raise UnreadableMessage(f"{type(error).__name__}: {error}"[:200]) from error
    whole: tuple[object, ...] = (sale.epoch, sale.cajero_id)
    if not all(type(number) is int and 0 <= number < MOST_WHOLE for number in whole):
        raise UnreadableMessage("epoch and cajero_id are whole numbers")
    lines = [(item.producto_id, item.cantidad_milli) for item in sale.items]
    if sale.huella != fingerprint(lines=lines, metodo_pago=sale.metodo_pago, pagos=sale.pagos):
        raise UnreadableMessage("the huella is not that of the lines")
    if sale.fecha.tzinfo is None:
        raise UnreadableMessage("the timestamp has no offset")
    if sale.fecha.year not in YEARS:
        raise UnreadableMessage("the timestamp is of no time that anything is sold in")
    if sale.total_centavos != sum(item.importe_centavos for item in sale.items):
        raise UnreadableMessage("the total is not the sum of the lines")
    _check_payments(sale)
    return sale


def sale_as_payload(sale: SaleMessage) -> dict[str, Any]:
    """The sale as it travels, again."""
    pedido, products = hold_of(sale)
    payload, _total = sale_payload(
        tienda_id=sale.tienda_id,
        venta_id=sale.venta_id,
        huella=sale.huella,
        epoch=sale.epoch,
        pedido=pedido,
        products=products,
    )
    return payload


def hold_of(sale: SaleMessage) -> tuple[Pedido, tuple[HeldProduct, ...]]:
    """What a hold of this sale looks like, at the prices it was sold: one entry a distinct product."""
    lines = tuple((str(item.producto_id), item.cantidad_milli) for item in sale.items)
    pedido = Pedido(
        sale.fecha.isoformat(),
        sale.cajero_id,
        str(sale.terminal_id),
        sale.metodo_pago,
        lines,
        tuple((item.precio_centavos, item.impuesto) for item in sale.items),
        sale.pagos,
    )
    held: dict[UUID, HeldProduct] = {}
    for item in sale.items:
        before = held[item.producto_id].cantidad_milli if item.producto_id in held else 0
        held[item.producto_id] = HeldProduct(
            item.producto_id, before + item.cantidad_milli, item.precio_centavos, item.impuesto, 0
        )
    return pedido, tuple(held.values())
