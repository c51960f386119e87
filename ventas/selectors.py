"""What is read of sales; nothing here writes."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count

from inventario.models import Producto
from ventas.models import Venta


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


def unknown_products(*, tienda_id: UUID, productos: Sequence[UUID]) -> list[UUID]:
    """Those that the tienda does not have, or does not sell."""
    there = set(
        Producto.objects.filter(tienda_id=tienda_id, id__in=productos, is_active=True).values_list("id", flat=True)
    )
    return [producto for producto in productos if producto not in there]
