"""Closing a sale that was refused while its customer had left: for good, by a supervisor, with a reason that is kept.

It leaves what a discarded sale leaves, a tombstone: no late copy of it is ever written.
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from functools import partial

import orjson
from django.db import transaction

from blend_pos.tiendas.locks import own_tienda
from cache_stock import reservation
from cache_stock.reservation import HeldProduct
from cache_stock.scripts import StockError
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


def close_refused(*, order: Order, closure: Closure) -> None:
    """Record that `order` was never taken, and never will be. Again for the same sale, nothing is recorded.

    Raises VentaExiste, StockError where Redis cannot say whether it holds it.
    """
    sale = _sale_of(order)
    with transaction.atomic():
        own_tienda(tienda_id=order.tienda_id)
        if _is_written(order):
            raise VentaExiste
        closed = _closed(order)
        if closed is not None:  # Redis may not have been told the first time
            transaction.on_commit(partial(_annul, read_sale(closed.mensaje)))
            return
        if _is_on_its_way(order):
            raise VentaExiste
        _record(sale, closure, order.fecha)
        transaction.on_commit(partial(_annul, sale))


def _closed(order: Order) -> VentaFallida | None:
    rows = VentaFallida.objects.filter(tienda_id=order.tienda_id, venta_id=order.venta_id)
    return rows.filter(estado=EstadoFalla.DESCARTADA).first()


def _is_written(order: Order) -> bool:
    return Venta.objects.filter(tienda_id=order.tienda_id, venta_id=order.venta_id).exists()


def _is_on_its_way(order: Order) -> bool:
    """Held, or waiting for a manager; what was settled since it was looked for is written."""
    return (
        reservation.find_hold(tienda_id=order.tienda_id, venta_id=order.venta_id) is not None
        or _is_written(order)
        or VentaFallida.objects.filter(tienda_id=order.tienda_id, venta_id=order.venta_id).exists()
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


def _record(sale: SaleMessage, closure: Closure, now: datetime) -> None:
    VentaFallida.objects.create(
        tienda_id=sale.tienda_id,
        venta_id=sale.venta_id,
        huella=sale.huella,
        motivo=MotivoFalla.RECHAZADA,
        error=closure.rechazo[:MOST_ERROR],
        mensaje=orjson.loads(orjson.dumps(sale_as_payload(sale))),
        con_reserva=False,
        registrada=now,
        estado=EstadoFalla.DESCARTADA,
        resuelta=now,
        resuelta_por_id=closure.supervisor_id,
        nota=closure.razon[:MOST_NOTE],
    )


def _annul(sale: SaleMessage) -> None:
    """So that the same key is refused from now on; where Redis cannot be told, the tombstone does it."""
    try:
        recovery.settle_tombstone(tienda_id=sale.tienda_id, sale=sale)
    except StockError as error:
        logger.warning("closed sale %s is not annulled in Redis yet: %s", sale.venta_id, error)
