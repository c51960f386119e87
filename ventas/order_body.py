"""The body of a checkout, read by hand: it is on the hot path, where a nested serializer costs more than the Lua
script.

serializers.CheckoutSerializer describes the same for the schema.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from blend_pos.ids import known_uuid
from ventas.messages import METHODS, decimal_text, line_amount
from ventas.models import MetodoPago
from ventas.orders import OrderLine
from ventas.payments import KINDS, MOST_PAYMENTS, MOST_REFERENCE, Payment, add_up, kind_of

MOST_UNITS = 1_000_000
MOST_PRICE = 1_000_000_000
PAYMENT_FIELDS = frozenset({"metodo", "importe", "recibido", "referencia"})
LINE_FIELDS = frozenset({"producto_id", "cantidad", "precio"})
BODY_FIELDS = frozenset({"items", "metodo_pago", "pagos", "vendida"})
UUID_SHAPE = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


@dataclass(frozen=True, slots=True)
class Body:
    """What a checkout asks for; `pagos` are none where only metodo_pago was sent."""

    lines: tuple[OrderLine, ...]
    metodo_pago: str
    pagos: tuple[Payment, ...] = ()
    vendida: datetime | None = None


def read_body(data: Any) -> Body:
    """The body of a checkout. Raises ValidationError that names each field and what it should be."""
    if not isinstance(data, dict):
        raise ValidationError({"cuerpo": [_("Tiene que ser un objeto con items y metodo_pago.")]})
    errors: dict[str, Any] = {name: [_("No se conoce este campo.")] for name in data.keys() - BODY_FIELDS}
    lines = _read_lines(data.get("items"), errors)
    pagos: tuple[Payment, ...] = ()
    metodo_pago = data.get("metodo_pago")
    if data.get("pagos") is not None:
        pagos = _read_payments(data["pagos"], errors)
        if pagos and not errors:
            _check_payments(lines, pagos, errors)
        if pagos and metodo_pago is None:
            metodo_pago = kind_of(pagos)
        elif pagos and metodo_pago != kind_of(pagos):
            errors["metodo_pago"] = [_("No es el de los pagos: sobra, o es %(metodo)s.") % {"metodo": kind_of(pagos)}]
    if not isinstance(metodo_pago, str) or metodo_pago not in METHODS:
        errors.setdefault("metodo_pago", [_("Uno de: %(metodos)s.") % {"metodos": ", ".join(MetodoPago.values)}])
    vendida = None if data.get("vendida") is None else _read_moment(data["vendida"], errors)
    if errors:
        raise ValidationError(errors)
    return Body(tuple(lines), str(metodo_pago), pagos, vendida)


def _read_lines(items: Any, errors: dict[str, Any]) -> list[OrderLine]:
    """The lines that are sound; what is wrong with the others goes into `errors`."""
    if not isinstance(items, list) or not 0 < len(items) <= settings.SALE_MAX_LINES:
        errors["items"] = [_("Una lista de 1 a %(lineas)d líneas.") % {"lineas": settings.SALE_MAX_LINES}]
        return []
    lines: list[OrderLine] = []
    wrong = {}
    for number, item in enumerate(items):
        line = _read_line(item)
        if isinstance(line, OrderLine):
            lines.append(line)
        else:
            wrong[str(number)] = line
    if wrong:
        errors["items"] = wrong
    return lines


def _read_payments(values: Any, errors: dict[str, Any]) -> tuple[Payment, ...]:
    if not isinstance(values, list) or not 0 < len(values) <= MOST_PAYMENTS:
        errors["pagos"] = [_("Una lista de 1 a %(pagos)d pagos.") % {"pagos": MOST_PAYMENTS}]
        return ()
    payments: list[Payment] = []
    wrong = {}
    for number, value in enumerate(values):
        payment = _read_payment(value)
        if payment is None:
            wrong[str(number)] = [
                _(
                    "metodo (%(metodos)s) e importe, mayor que 0, con dos decimales como mucho; del efectivo, "
                    "recibido, que lo cubre; de los otros, referencia, hasta %(largo)d letras."
                )
                % {"metodos": ", ".join(sorted(KINDS)), "largo": MOST_REFERENCE}
            ]
        else:
            payments.append(payment)
    if wrong:
        errors["pagos"] = wrong
    return tuple(payments)


def _read_payment(value: Any) -> Payment | None:
    if not isinstance(value, dict) or value.keys() - PAYMENT_FIELDS:
        return None
    metodo, referencia = value.get("metodo"), value.get("referencia")
    importe = _scaled(value.get("importe"), 2, MOST_PRICE)
    recibido = None if value.get("recibido") is None else _scaled(value["recibido"], 2, MOST_PRICE)
    unreadable = importe is None or (recibido is None and value.get("recibido") is not None)
    if unreadable or not isinstance(metodo, str) or not isinstance(referencia, str | None):
        return None
    payment = Payment(metodo, importe or 0, recibido, referencia or "")
    return payment if payment.is_sound else None


def _check_payments(lines: Sequence[OrderLine], pagos: Sequence[Payment], errors: dict[str, Any]) -> None:
    """What was paid is what was shown: each line has its price, and the amounts are the same."""
    total = 0
    for line in lines:
        if line.precio_centavos is None:
            errors["pagos"] = [_("Con pagos, cada línea lleva el precio que se mostró.")]
            return
        total += line_amount(cantidad_milli=line.cantidad_milli, precio_centavos=line.precio_centavos)
    if add_up(pagos) != total:
        errors["pagos"] = [
            _("Suman %(pagado)s y las líneas %(total)s.")
            % {"pagado": decimal_text(add_up(pagos), 2), "total": decimal_text(total, 2)}
        ]


def _read_moment(value: Any, errors: dict[str, Any]) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    errors["vendida"] = [_("Una fecha ISO 8601 con su zona.")]
    return None


def _read_line(item: Any) -> OrderLine | dict[str, Any]:
    """One line, or what is wrong with it."""
    if not isinstance(item, dict):
        return {"linea": [_("Tiene que ser un objeto con producto_id y cantidad.")]}
    wrong: dict[str, Any] = {name: [_("No se conoce este campo.")] for name in item.keys() - LINE_FIELDS}
    producto_id = read_uuid(item.get("producto_id"))
    if producto_id is None:
        wrong["producto_id"] = [_("Tiene que ser un UUID.")]
    cantidad = _scaled(item.get("cantidad"), 3, MOST_UNITS)
    if not cantidad:
        wrong["cantidad"] = [
            _("Un número mayor que 0 y hasta %(maximo)d, con tres decimales como mucho.") % {"maximo": MOST_UNITS}
        ]
    precio = None
    if item.get("precio") is not None:
        precio = _scaled(item["precio"], 2, MOST_PRICE)
        if precio is None:
            wrong["precio"] = [_("Un número de 0 a %(maximo)d, con dos decimales como mucho.") % {"maximo": MOST_PRICE}]
    if wrong or producto_id is None or cantidad is None:
        return wrong
    return OrderLine(producto_id, cantidad, precio)


def _scaled(value: Any, places: int, most: int) -> int | None:
    """A JSON number as a whole number of 10^-places units; None where it is no such number."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal) or not 0 <= value <= most:
        return None
    if isinstance(value, int):
        return value * int(10**places)
    scaled = Decimal(repr(value) if isinstance(value, float) else value).scaleb(places)
    whole = int(scaled)
    return whole if whole == scaled else None


def read_uuid(value: Any) -> UUID | None:
    """A UUID in its usual form, or None. Python's own reader also takes digits of other alphabets, and underscores."""
    return known_uuid(value) if isinstance(value, str) and UUID_SHAPE.fullmatch(value) else None


def read_key(value: str | None) -> UUID | None:
    """The Idempotency-Key header; None where there is none. Raises ValidationError."""
    if value is None:
        return None
    key = read_uuid(value.strip())
    if key is None:
        raise ValidationError({"Idempotency-Key": [_("Tiene que ser un UUID, hecho por el cliente, uno por venta.")]})
    return key
