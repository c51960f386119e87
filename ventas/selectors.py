"""What is read of sales; nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.contrib.auth.models import User
from django.db.models import Count, QuerySet

from blend_pos.tiendas.models import Terminal
from cache_stock import reservation
from inventario.models import Producto
from ventas.messages import SaleMessage, UnreadableMessage, hold_payload, read_sale
from ventas.models import EstadoFalla, Venta, VentaFallida
from ventas.payments import KINDS, Payment

ADJUSTMENTS_OWN = "movimiento"  # in the request of an adjustment's hold (cache_stock.operations), and in no sale's


@dataclass(frozen=True, slots=True)
class KnownSale:
    """What the answer of a written sale needs; total in cents."""

    huella: str
    fecha: str
    total_centavos: int
    metodo_pago: str
    cantidad_items: int


def find_sale(*, tienda_id: UUID, venta_id: UUID) -> KnownSale | None:
    """The written sale of this key, or None."""
    venta = (
        Venta.objects.filter(tienda_id=tienda_id, venta_id=venta_id)
        .select_related("tienda")
        .annotate(items=Count("detalles"))
        .first()
    )
    if venta is None:
        return None
    fecha = venta.fecha.astimezone(venta.tienda.zone).isoformat()
    return KnownSale(venta.huella, fecha, int(venta.total * 100), venta.metodo_pago, venta.items)


def is_discarded(*, tienda_id: UUID, venta_id: UUID) -> bool:
    """Whether a supervisor has discarded a sale of this key."""
    return VentaFallida.objects.filter(tienda_id=tienda_id, venta_id=venta_id, estado=EstadoFalla.DESCARTADA).exists()


def unknown_products(*, tienda_id: UUID, productos: Sequence[UUID]) -> list[UUID]:
    """Those that the tienda does not have, or does not sell."""
    there = set(
        Producto.objects.filter(tienda_id=tienda_id, id__in=productos, is_active=True).values_list("id", flat=True)
    )
    return [producto for producto in productos if producto not in there]


def follow_sale(*, tienda_id: UUID, venta_id: UUID) -> dict[str, Any] | None:
    """Where a sale is, as VentaSerializer shows it; None where it is nowhere.

    Redis is asked first: a hold that settles in between is found in PostgreSQL then, and never nowhere.
    """
    hold = reservation.find_hold(tienda_id=tienda_id, venta_id=venta_id)
    venta = Venta.objects.filter(tienda_id=tienda_id, venta_id=venta_id).prefetch_related("detalles", "pagos").first()
    if venta is not None:
        return _written(venta)
    failed = VentaFallida.objects.filter(tienda_id=tienda_id, venta_id=venta_id).order_by("-registrada").first()
    sold_again = hold is not None and failed is not None and not failed.con_reserva
    if failed is not None and failed.estado != EstadoFalla.REINTENTADA and not sold_again:
        estado = "FALLIDA" if failed.estado == EstadoFalla.ABIERTA else "ANULADA"
        if failed.mensaje is None:
            return _never_read(failed, estado)
        return _on_its_way(venta_id, estado, read_sale(failed.mensaje))
    sale = None if hold is None else _held_sale(hold)
    return None if sale is None else _on_its_way(venta_id, "RESERVADA", sale)


def _held_sale(hold: reservation.LiveHold) -> SaleMessage | None:
    """The sale of a hold; None of an adjustment's. Raises HoldUnreadable."""
    try:
        if ADJUSTMENTS_OWN in orjson.loads(hold.pedido):
            return None
        payload, _total = hold_payload(hold=hold)
        return read_sale(payload)
    except (UnreadableMessage, LookupError, TypeError, ValueError, AttributeError) as error:
        raise reservation.HoldUnreadable(f"request: {type(error).__name__}") from error


def _written(venta: Venta) -> dict[str, Any]:
    return {
        "venta_id": venta.venta_id,
        "estado": "PERSISTIDA",
        "fecha": venta.fecha,
        "total": venta.total,
        "metodo_pago": venta.metodo_pago,
        "cajero_id": venta.cajero_id,
        "terminal_id": venta.terminal_id,
        "recibo": venta.recibo,
        "persistida": venta.persistida,
        "pagos": _shown(
            [
                Payment(pago.metodo, int(pago.importe * 100), _centavos(pago.recibido), pago.referencia)
                for pago in venta.pagos.all()
            ],
            venta.metodo_pago,
            int(venta.total * 100),
        ),
        "detalles": list(venta.detalles.all()),
    }


def _centavos(amount: Decimal | None) -> int | None:
    return None if amount is None else int(amount * 100)


def _shown(pagos: Sequence[Payment], metodo_pago: str, total_centavos: int) -> list[dict[str, Any]]:
    """The payments; where none were told, one of the whole total, if that is known to be of one kind."""
    if not pagos and metodo_pago in KINDS and total_centavos > 0:
        pagos = [Payment(metodo_pago, total_centavos)]
    return [
        {
            "metodo": each.metodo,
            "importe": Decimal(each.importe_centavos).scaleb(-2),
            "recibido": None if each.recibido_centavos is None else Decimal(each.recibido_centavos).scaleb(-2),
            "referencia": each.referencia,
        }
        for each in pagos
    ]


def _never_read(failed: VentaFallida, estado: str) -> dict[str, Any]:
    """Of a closed cart that is no sale, nothing is known but that, and when it was closed."""
    unknown = dict.fromkeys(("total", "metodo_pago", "cajero_id", "terminal_id", "recibo", "persistida"))
    known = {"venta_id": failed.venta_id, "estado": estado, "fecha": failed.registrada}
    return {**known, **unknown, "pagos": [], "detalles": []}


def _on_its_way(venta_id: UUID, estado: str, sale: SaleMessage) -> dict[str, Any]:
    return {
        "venta_id": venta_id,
        "estado": estado,
        "fecha": sale.fecha,
        "total": Decimal(sale.total_centavos).scaleb(-2),
        "metodo_pago": sale.metodo_pago,
        "cajero_id": sale.cajero_id,
        "terminal_id": sale.terminal_id,
        "recibo": None,
        "persistida": None,
        "pagos": _shown(sale.pagos, sale.metodo_pago, sale.total_centavos),
        "detalles": [
            {
                "linea": number,
                "producto_id": item.producto_id,
                "cantidad": Decimal(item.cantidad_milli).scaleb(-3),
                "precio_unitario": Decimal(item.precio_centavos).scaleb(-2),
                "impuesto": Decimal(item.impuesto).scaleb(-2),
                "importe": Decimal(item.importe_centavos).scaleb(-2),
            }
            for number, item in enumerate(sale.items, start=1)
        ],
    }


@dataclass(frozen=True, slots=True)
class FailedLine:
    """One line of a failed sale; the product by name, or by its id where there is none."""

    nombre: str
    sku: str
    cantidad: Decimal
    precio_unitario: Decimal
    importe: Decimal


@dataclass(frozen=True, slots=True)
class FailedSale:
    """A failed sale as a person reads it."""

    fecha: datetime
    metodo_pago: str
    cajero: str
    terminal: str
    lines: tuple[FailedLine, ...]


def describe_failed(*, failed: VentaFallida) -> FailedSale | None:
    """What was sold, by whom and where; None where what arrived is no sale. What is not found is shown by its id."""
    try:
        sale = read_sale(failed.mensaje)
    except UnreadableMessage:
        return None
    products = Producto.objects.filter(tienda=sale.tienda_id).in_bulk({item.producto_id for item in sale.items})
    cajero = User.objects.filter(pk=sale.cajero_id).values_list("username", flat=True).first()
    terminal = Terminal.objects.filter(pk=sale.terminal_id).values_list("nombre", flat=True).first()
    lines = []
    for item in sale.items:
        product = products.get(item.producto_id)
        lines.append(
            FailedLine(
                product.nombre if product else str(item.producto_id),
                product.sku if product else "—",
                Decimal(item.cantidad_milli).scaleb(-3),
                Decimal(item.precio_centavos).scaleb(-2),
                Decimal(item.importe_centavos).scaleb(-2),
            )
        )
    return FailedSale(
        sale.fecha.astimezone(failed.tienda.zone) if failed.tienda else sale.fecha,
        sale.metodo_pago,
        cajero or str(sale.cajero_id),
        terminal or str(sale.terminal_id),
        tuple(lines),
    )


def sales_of(*, tienda_id: UUID) -> QuerySet[Venta]:
    """A tienda's written sales."""
    return Venta.objects.filter(tienda_id=tienda_id)
