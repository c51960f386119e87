"""Closing a sale that was refused while its customer had left: for good, by a supervisor, with a reason that is kept.

It leaves what a discarded sale leaves, a tombstone: no late copy of it is ever written.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from uuid import UUID

import orjson
from django.db import OperationalError, transaction

from blend_pos.tiendas.locks import own_tienda
from cache_stock import reservation
from cache_stock.reservation import HeldProduct
from cache_stock.scripts import StockError, StockRefused
from inventario.models import Producto
from ventas import recovery
from ventas.messages import Pedido, SaleMessage, fingerprint, read_sale, sale_as_payload, sale_payload
from ventas.models import EstadoFalla, MotivoFalla, Venta, VentaFallida
from ventas.orders import Order

logger = logging.getLogger(__name__)
MOST_NOTE = 200
MOST_ERROR = 500


class VentaExiste(Exception):
    """The sale of this key is written, on its way, or waits for a manager: there is nothing to close."""


@dataclass(frozen=True, slots=True)
class Closure:
    """Who closes it and why; `rechazo`: what the server had said to it."""

    supervisor_id: int
    razon: str
    rechazo: str


@dataclass(frozen=True, slots=True)
class Refused:
    """What is closed: a sale, or, where that is None, a cart that is none, as text (`cuerpo`)."""

    tienda_id: UUID
    venta_id: UUID
    huella: str
    sale: SaleMessage | None = None
    cuerpo: str = ""


def close_refused(*, order: Order, closure: Closure) -> str:
    """Record that `order` was never taken, and never will be; the reason that is kept. Again for the same sale, nothing
    is recorded, and the reason is the earlier one.

    Raises VentaExiste, StockError where Redis cannot say whether it holds it.
    """
    sale = _sale_of(order)
    return _close(Refused(order.tienda_id, order.venta_id, sale.huella, sale), closure, order.fecha)


def close_unreadable(*, tienda_id: UUID, venta_id: UUID, cuerpo: str, closure: Closure, now: datetime) -> str:
    """The same of a cart that the server refuses to read as a sale: it is kept as text.

    Raises as close_refused.
    """
    huella = hashlib.sha256(cuerpo.encode()).hexdigest()
    return _close(Refused(tienda_id, venta_id, huella, cuerpo=cuerpo), closure, now)


def _close(refused: Refused, closure: Closure, now: datetime) -> str:
    with transaction.atomic():
        epoch = own_tienda(tienda_id=refused.tienda_id)
        if _is_written(refused):
            raise VentaExiste
        row = _closed(refused)
        if row is not None:  # Redis may not have been told the first time
            kept = Refused(refused.tienda_id, refused.venta_id, row.huella, recovery.kept_sale(row))
            transaction.on_commit(partial(_annul, kept))
            return row.nota
        if _is_on_its_way(refused):
            raise VentaExiste
        armed = reservation.armed_epochs(tiendas=[refused.tienda_id])  # looked at after its holds
        if armed[refused.tienda_id] != epoch:
            raise StockRefused("not armed: what Redis has lost may be on its way")
        _record(refused, closure, now)
        transaction.on_commit(partial(_annul, refused))
    return closure.razon[:MOST_NOTE]


def _closed(refused: Refused) -> VentaFallida | None:
    """What was closed under this key before."""
    rows = VentaFallida.objects.filter(tienda_id=refused.tienda_id, venta_id=refused.venta_id)
    return rows.filter(estado=EstadoFalla.DESCARTADA).first()


def _is_written(refused: Refused) -> bool:
    return Venta.objects.filter(tienda_id=refused.tienda_id, venta_id=refused.venta_id).exists()


def _is_on_its_way(refused: Refused) -> bool:
    """Held, or waiting for a manager; what was settled since it was looked for is written."""
    return (
        reservation.find_hold(tienda_id=refused.tienda_id, venta_id=refused.venta_id) is not None
        or _is_written(refused)
        or VentaFallida.objects.filter(tienda_id=refused.tienda_id, venta_id=refused.venta_id).exists()
    )


def _sale_of(order: Order) -> SaleMessage:
    """As it would have been sold: at the prices that were shown, at the taxes of now; 0 of what is not known."""
    lines = [(line.producto_id, line.cantidad_milli) for line in order.lines]
    known = Producto.objects.filter(tienda=order.tienda_id).in_bulk({line.producto_id for line in order.lines})
    held, prices = {}, []
    for line in order.lines:
        product = known.get(line.producto_id)
        shown = line.precio_centavos
        precio = shown if shown is not None else int(product.precio * 100) if product else 0
        impuesto = int(product.impuesto * 100) if product else 0
        held[line.producto_id] = HeldProduct(line.producto_id, line.cantidad_milli, precio, impuesto, 0)
        prices.append((precio, impuesto))
    pedido = Pedido(
        order.sold_at.isoformat(),
        order.cajero_id,
        str(order.terminal_id),
        order.metodo_pago,
        tuple((str(producto), cantidad) for producto, cantidad in lines),
        tuple(prices),
        order.pagos,
    )
    payload, _total = sale_payload(
        tienda_id=order.tienda_id,
        venta_id=order.venta_id,
        huella=fingerprint(lines=lines, metodo_pago=order.metodo_pago, pagos=order.pagos),
        epoch=0,
        pedido=pedido,
        products=tuple(held.values()),
    )
    return read_sale(payload)


def _record(refused: Refused, closure: Closure, now: datetime) -> None:
    sale = refused.sale
    VentaFallida.objects.create(
        tienda_id=refused.tienda_id,
        venta_id=refused.venta_id,
        huella=refused.huella,
        motivo=MotivoFalla.RECHAZADA,
        error=closure.rechazo[:MOST_ERROR],
        mensaje=None if sale is None else orjson.loads(orjson.dumps(sale_as_payload(sale))),
        cuerpo=refused.cuerpo,
        con_reserva=False,
        registrada=now,
        estado=EstadoFalla.DESCARTADA,
        resuelta=now,
        resuelta_por_id=closure.supervisor_id,
        nota=closure.razon[:MOST_NOTE],
    )


def _annul(refused: Refused) -> None:
    """So that the same key is refused from now on; where Redis cannot be told, the tombstone does it."""
    tienda_id, venta_id = refused.tienda_id, refused.venta_id
    productos = {item.producto_id for item in refused.sale.items} if refused.sale is not None else set()
    try:
        recovery.let_go(tienda_id=tienda_id, venta_id=venta_id, huella=refused.huella, productos=productos)
    except (StockError, OperationalError) as error:
        logger.warning("closed sale %s is not annulled in Redis yet: %s", venta_id, error)
