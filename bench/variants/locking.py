"""Checkouts that need PostgreSQL alone: the same view, validation and rows as the product's.

for_update: every product of the cart locked at once, in id order. conditional_update: no lock is asked for, an UPDATE
of each product, in id order, itself asks whether there is enough. one_statement: what for_update does, told to
PostgreSQL at once. for_update_naive: product by product, in the cart's order, through the ORM.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.db import OperationalError, connection, transaction
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from blend_pos.arrays import array
from blend_pos.tiendas.authentication import seat_of
from blend_pos.tiendas.models import Terminal
from blend_pos.tiendas.permissions import CajeroOrAbove
from inventario.ledger import APPEND
from inventario.models import InventoryLedger, Producto, TipoMovimiento
from ventas.messages import decimal_text, fingerprint, line_amount
from ventas.models import DetalleVenta, Venta
from ventas.order_body import read_body, read_key
from ventas.orders import Order, OrderLine
from ventas.rows import INSERT_LINES, INSERT_SALES, execute, query

LOCK = """
SELECT id, stock_actual, version, precio, impuesto FROM productos
WHERE id = ANY(%s::uuid[]) AND tienda_id = %s AND is_active ORDER BY id FOR NO KEY UPDATE
"""
TAKE = """
UPDATE productos SET stock_actual = stock_actual - taken.cantidad, version = version + 1
FROM unnest(%s::uuid[], %s::numeric[]) AS taken (id, cantidad) WHERE productos.id = taken.id
"""
TAKE_WHERE_ENOUGH = """
UPDATE productos SET stock_actual = stock_actual - %s, version = version + 1
WHERE id = %s AND tienda_id = %s AND is_active AND stock_actual >= %s
RETURNING id, stock_actual, version, precio, impuesto
"""
NEXT_RECEIPT = "UPDATE terminales SET ultimo_recibo = ultimo_recibo + 1 WHERE id = %s RETURNING ultimo_recibo"
WHOLE_SALE = """
WITH locked AS MATERIALIZED (
    SELECT productos.id, linea, cantidad, stock_actual - cantidad AS saldo, version + 1 AS version, precio, impuesto,
        round(cantidad * precio, 2) AS importe
    FROM productos JOIN unnest(%s::uuid[], %s::numeric[]) WITH ORDINALITY AS asked (id, cantidad, linea) USING (id)
    WHERE tienda_id = %s AND is_active ORDER BY productos.id FOR NO KEY UPDATE OF productos
), enough AS MATERIALIZED (
    SELECT sum(importe) AS total FROM locked HAVING count(*) = %s AND min(saldo) >= 0
), numbered AS (
    UPDATE terminales SET ultimo_recibo = ultimo_recibo + 1 FROM enough WHERE terminales.id = %s
    RETURNING ultimo_recibo, total
), venta AS (
    INSERT INTO ventas
        (tienda_id, venta_id, huella, fecha, total, metodo_pago, cajero_id, terminal_id, recibo, epoch, persistida)
    SELECT %s, %s, %s, %s, total, %s, %s, %s, ultimo_recibo, %s, %s FROM numbered
    RETURNING id, fecha, total, cajero_id
), taken AS (
    UPDATE productos SET stock_actual = locked.saldo, version = locked.version FROM locked, venta
    WHERE productos.id = locked.id
), lines AS (
    INSERT INTO detalle_ventas (venta_id, linea, producto_id, cantidad, precio_unitario, impuesto, importe)
    SELECT venta.id, linea, locked.id, cantidad, precio, impuesto, importe FROM locked, venta
), moved AS (
    INSERT INTO inventory_ledger
        (producto_id, fecha, tipo, delta, saldo, version, venta_id, linea, motivo, usuario_id)
    SELECT locked.id, fecha, 'VENTA', -cantidad, saldo, version, venta.id, linea, '', cajero_id FROM locked, venta
)
SELECT total FROM venta
"""
EPOCH = 1


class NotEnough(Exception):
    """Of one of the cart's products."""


@dataclass(frozen=True, slots=True)
class Taken:
    """One product of a cart after its stock went down. Money in cents, tax in hundredths of a percent."""

    saldo: Decimal
    version: int
    precio_centavos: int
    impuesto: Decimal


def for_update(order: Order) -> int:
    """The best of its kind: one lock in id order, one statement a table. The total in cents; raises NotEnough."""
    wanted = _wanted(order.lines)
    with transaction.atomic():
        recibo = _next_receipt(order)  # before the products: others wait for those
        rows = query(LOCK, [array(wanted), order.tienda_id])
        if len(rows) < len(wanted) or any(stock < wanted[producto] for producto, stock, *_ in rows):
            raise NotEnough
        execute(TAKE, [array(wanted), array(wanted.values())])
        taken = {
            producto: Taken(stock - wanted[producto], version + 1, int(precio * 100), impuesto)
            for producto, stock, version, precio, impuesto in rows
        }
        return _write(order, recibo, wanted, taken)


def conditional_update(order: Order) -> int:
    """The same rows; an UPDATE that asks whether there is enough, of each product in id order, sent together."""
    wanted = _wanted(order.lines)
    with transaction.atomic():
        recibo = _next_receipt(order)
        rows = _take_where_enough(order.tienda_id, wanted)
        if len(rows) < len(wanted):
            raise NotEnough
        taken = {
            producto: Taken(saldo, version, int(precio * 100), impuesto)
            for producto, saldo, version, precio, impuesto in rows
        }
        return _write(order, recibo, wanted, taken)


def one_statement(order: Order) -> int:
    """The same locks and rows in one statement, which is its own transaction: one wait for PostgreSQL."""
    wanted = _wanted(order.lines)
    asked = [array(wanted), array(wanted.values()), order.tienda_id, len(wanted), order.terminal_id]
    sale = [order.tienda_id, order.venta_id, _huella(order), order.fecha, order.metodo_pago]
    rows = query(WHOLE_SALE, [*asked, *sale, order.cajero_id, order.terminal_id, EPOCH, datetime.now(UTC)])
    if not rows:
        raise NotEnough
    return int(rows[0][0] * 100)


def for_update_naive(order: Order) -> int:
    """As it is usually written."""
    with transaction.atomic():
        total = 0
        lines = []
        for line in order.lines:
            cantidad = Decimal(line.cantidad_milli).scaleb(-3)
            producto = Producto.objects.select_for_update().get(pk=line.producto_id, tienda_id=order.tienda_id)
            if producto.stock_actual < cantidad:
                raise NotEnough
            producto.stock_actual -= cantidad
            producto.version += 1
            producto.save(update_fields=["stock_actual", "version"])
            importe = line_amount(cantidad_milli=line.cantidad_milli, precio_centavos=int(producto.precio * 100))
            total += importe
            lines.append((producto, cantidad, importe))
        terminal = Terminal.objects.select_for_update().get(pk=order.terminal_id)
        terminal.ultimo_recibo += 1
        terminal.save(update_fields=["ultimo_recibo"])
        now = datetime.now(UTC)
        venta = Venta.objects.create(
            tienda_id=order.tienda_id,
            venta_id=order.venta_id,
            huella=_huella(order),
            fecha=order.fecha,
            total=Decimal(total).scaleb(-2),
            metodo_pago=order.metodo_pago,
            cajero_id=order.cajero_id,
            terminal_id=order.terminal_id,
            recibo=terminal.ultimo_recibo,
            epoch=EPOCH,
            persistida=now,
        )
        for number, (producto, cantidad, importe) in enumerate(lines, start=1):
            DetalleVenta.objects.create(
                venta=venta,
                linea=number,
                producto=producto,
                cantidad=cantidad,
                precio_unitario=producto.precio,
                impuesto=producto.impuesto,
                importe=Decimal(importe).scaleb(-2),
            )
            InventoryLedger.objects.create(
                producto=producto,
                fecha=order.fecha,
                tipo=TipoMovimiento.VENTA,
                delta=-cantidad,
                saldo=producto.stock_actual,
                version=producto.version,
                venta_id=venta.pk,
                linea=number,
                usuario_id=order.cajero_id,
            )
        return total


VARIANTS: Mapping[str, Callable[[Order], int]] = {
    "for_update": for_update,
    "for_update_naive": for_update_naive,
    "conditional_update": conditional_update,
    "one_statement": one_statement,
}


class BaselineView(APIView):
    """POST bench/{variant}: the product's view with another way to sell."""

    permission_classes = (CajeroOrAbove,)

    def post(self, request: Request, variant: str) -> Response:
        """Sell a cart. 201, 400 where there is not enough, 503 where PostgreSQL ended it (a deadlock)."""
        body = read_body(request.data)
        key = read_key(request.META.get("HTTP_IDEMPOTENCY_KEY"))
        seat = seat_of(request)
        order = Order(
            tienda_id=seat.tienda_id,
            cajero_id=seat.usuario_id,
            terminal_id=seat.terminal_id,
            venta_id=key or uuid4(),
            client_key=key is not None,
            metodo_pago=body.metodo_pago,
            lines=body.lines,
            fecha=datetime.now(UTC),
            deadline=time.monotonic(),
        )
        try:
            total = VARIANTS[variant](order)
        except NotEnough:
            return Response({"codigo": "stock_insuficiente"}, status=400)
        except OperationalError:
            return Response({"codigo": "otra_vez"}, status=503)
        return Response({"venta_id": order.venta_id, "estado": "PERSISTIDA", "total": total / 100}, status=201)


def _wanted(lines: Sequence[OrderLine]) -> dict[UUID, Decimal]:
    """How much of each product, in id order."""
    sums: dict[UUID, int] = {}
    for line in lines:
        sums[line.producto_id] = sums.get(line.producto_id, 0) + line.cantidad_milli
    return {producto: Decimal(sums[producto]).scaleb(-3) for producto in sorted(sums)}


def _huella(order: Order) -> str:
    lines = [(line.producto_id, line.cantidad_milli) for line in order.lines]
    return fingerprint(lines=lines, metodo_pago=order.metodo_pago)


def _next_receipt(order: Order) -> int:
    ((recibo,),) = query(NEXT_RECEIPT, [order.terminal_id])
    return int(recibo)


def _take_where_enough(tienda_id: UUID, wanted: Mapping[UUID, Decimal]) -> list[tuple[Any, ...]]:
    """A statement a product, and no wait between them; a row of each that had enough."""
    cursors = [connection.cursor() for _product in wanted]
    with connection.connection.pipeline():
        for cursor, (producto, cantidad) in zip(cursors, wanted.items(), strict=True):
            cursor.execute(TAKE_WHERE_ENOUGH, [cantidad, producto, tienda_id, cantidad])
        return [row for cursor in cursors for row in cursor.fetchall()]


def _write(order: Order, recibo: int, wanted: Mapping[UUID, Decimal], taken: Mapping[UUID, Taken]) -> int:
    """Venta, lines and ledger, each in one statement; the total in cents."""
    ids, products = list(wanted), [taken[producto] for producto in wanted]
    amounts = [
        line_amount(cantidad_milli=int(cantidad * 1000), precio_centavos=product.precio_centavos)
        for cantidad, product in zip(wanted.values(), products, strict=True)
    ]
    total, numbers = sum(amounts), list(range(1, len(ids) + 1))
    sale = [order.tienda_id, order.venta_id, _huella(order), order.fecha.isoformat(), decimal_text(total, 2)]
    sale += [order.metodo_pago, order.cajero_id, order.terminal_id, recibo, EPOCH]
    ((venta, *_),) = query(INSERT_SALES, [datetime.now(UTC), *(array([value]) for value in sale)])
    prices = [decimal_text(product.precio_centavos, 2) for product in products]
    taxes = [product.impuesto for product in products]
    each = [venta] * len(ids)
    money = [decimal_text(amount, 2) for amount in amounts]
    lines: tuple[Iterable[object], ...] = (each, numbers, ids, wanted.values(), prices, taxes, money)
    execute(INSERT_LINES, [array(column) for column in lines])
    none = [None] * len(ids)
    movement: list[Iterable[object]] = [
        ids,
        [order.fecha.isoformat()] * len(ids),
        [TipoMovimiento.VENTA.value] * len(ids),
    ]
    movement += [[-cantidad for cantidad in wanted.values()], [product.saldo for product in products]]
    movement += [[product.version for product in products], each, numbers, none, none, [order.cajero_id] * len(ids)]
    execute(APPEND, [array(column) for column in movement])
    return total
