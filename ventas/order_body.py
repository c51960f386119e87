"""The body of a checkout, read by hand: it is on the hot path, where a nested serializer costs more than the Lua
script.

serializers.CheckoutSerializer describes the same for the schema.
"""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from ventas.models import MetodoPago
from ventas.orders import OrderLine

MOST_UNITS = 1_000_000
MOST_PRICE = 1_000_000_000
LINE_FIELDS = frozenset({"producto_id", "cantidad", "precio"})
BODY_FIELDS = frozenset({"items", "metodo_pago"})
METHODS = frozenset(MetodoPago.values)
KEY_LENGTH = 36


def read_body(data: Any) -> tuple[tuple[OrderLine, ...], str]:
    """Lines and metodo_pago of a checkout. Raises ValidationError that names each field and what it should be."""
    if not isinstance(data, dict):
        raise ValidationError({"cuerpo": [_("Tiene que ser un objeto con items y metodo_pago.")]})
    errors: dict[str, Any] = {name: [_("No se conoce este campo.")] for name in data.keys() - BODY_FIELDS}
    metodo_pago = data.get("metodo_pago")
    if not isinstance(metodo_pago, str) or metodo_pago not in METHODS:
        errors["metodo_pago"] = [_("Uno de: %(metodos)s.") % {"metodos": ", ".join(MetodoPago.values)}]
    items = data.get("items")
    lines: list[OrderLine] = []
    if not isinstance(items, list) or not 0 < len(items) <= settings.SALE_MAX_LINES:
        errors["items"] = [_("Una lista de 1 a %(lineas)d líneas.") % {"lineas": settings.SALE_MAX_LINES}]
    else:
        wrong = {}
        for number, item in enumerate(items):
            line = _read_line(item)
            if isinstance(line, OrderLine):
                lines.append(line)
            else:
                wrong[str(number)] = line
        if wrong:
            errors["items"] = wrong
    if errors:
        raise ValidationError(errors)
    return tuple(lines), str(metodo_pago)


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
    """A UUID in its usual form, or None."""
    if not isinstance(value, str) or len(value) != KEY_LENGTH:
        return None
    try:
        return UUID(value)
    except ValueError:
        return None


def read_key(value: str | None) -> UUID | None:
    """The Idempotency-Key header; None where there is none. Raises ValidationError."""
    if value is None:
        return None
    key = read_uuid(value.strip())
    if key is None:
        raise ValidationError({"Idempotency-Key": [_("Tiene que ser un UUID, hecho por el cliente, uno por venta.")]})
    return key
