"""The only writer of stock: products locked in id order, a ledger row for each movement, the balance with its
version."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction

from blend_pos.arrays import array
from inventario.models import TipoMovimiento

LOCK = """
SELECT id, tienda_id, stock_actual, version FROM productos WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""
APPEND = """
INSERT INTO inventory_ledger
    (producto_id, fecha, tipo, delta, saldo, version, venta_id, linea, operacion, motivo, usuario_id)
SELECT producto, fecha, tipo, delta, saldo, version, venta, linea, operacion, coalesce(motivo, ''), usuario
FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::numeric[], %s::numeric[], %s::bigint[],
    %s::bigint[], %s::smallint[], %s::uuid[], %s::text[], %s::integer[])
    AS new (producto, fecha, tipo, delta, saldo, version, venta, linea, operacion, motivo, usuario)
"""
UPDATE = """
UPDATE productos SET stock_actual = new.saldo, version = new.version,
    actualizado = CASE WHEN new.sold THEN actualizado ELSE statement_timestamp() END
FROM unnest(%s::uuid[], %s::numeric[], %s::bigint[], %s::boolean[]) AS new (id, saldo, version, sold)
WHERE productos.id = new.id
"""


class NoTransaction(RuntimeError):
    """Stock moves only inside the caller's transaction."""


class UnknownProduct(Exception):
    """A movement names a product that its tienda does not have."""

    def __init__(self, productos: Sequence[UUID]) -> None:
        super().__init__(f"unknown products: {', '.join(map(str, productos))}")
        self.productos = tuple(productos)


@dataclass(frozen=True, slots=True)
class Movement:
    """One change of one product's stock; `delta` in the product's unit, three decimals, negative where stock goes out.

    `venta` is Venta's primary key, with `linea`; `operacion` is the key of anything else, so that it happens once.
    """

    producto_id: UUID
    tienda_id: UUID
    tipo: str
    delta: Decimal
    fecha: datetime
    venta: int | None = None
    linea: int | None = None
    operacion: UUID | None = None
    motivo: str = ""
    usuario_id: int | None = None


@dataclass(frozen=True, slots=True)
class StockBalance:
    """A product's stock after the last movement, with the version it was raised to."""

    producto_id: UUID
    saldo: Decimal
    version: int


def record(*, movements: Sequence[Movement]) -> list[StockBalance]:
    """Append the movements in the order given; the balances of their products, in id order.

    Raises UnknownProduct, and IntegrityError where stock would go below zero or a movement is there already.
    """
    if not transaction.get_connection().in_atomic_block:
        raise NoTransaction("open a transaction first")
    with connection.cursor() as cursor:
        ids = sorted({movement.producto_id for movement in movements})
        cursor.execute(LOCK, [array(ids)])
        now = {producto: _Running(*row) for producto, *row in cursor.fetchall()}
        saldos, versions = _apply(movements, now)
        # What moved otherwise than by a sale counts as changed: a till, or a warmup that missed it, asks for that.
        changed = {m.producto_id for m in movements if m.tipo != TipoMovimiento.VENTA}
        last = [now[producto] for producto in ids]
        cursor.execute(
            UPDATE,
            [
                array(ids),
                array(one.saldo for one in last),
                array(one.version for one in last),
                array(producto not in changed for producto in ids),
            ],
        )
        motivos = [m.motivo or None for m in movements]
        cursor.execute(
            APPEND,
            [
                array(m.producto_id for m in movements),
                array(m.fecha.isoformat() for m in movements),
                array(m.tipo for m in movements),
                array(m.delta for m in movements),
                array(saldos),
                array(versions),
                array(m.venta for m in movements),
                array(m.linea for m in movements),
                array(m.operacion for m in movements),
                motivos if any(motivos) else array(motivos),
                array(m.usuario_id for m in movements),
            ],
        )
    return [StockBalance(producto, one.saldo, one.version) for producto, one in zip(ids, last, strict=True)]


@dataclass(slots=True)
class _Running:
    """A locked product, as the movements so far leave it."""

    tienda_id: UUID
    saldo: Decimal
    version: int


def _apply(movements: Sequence[Movement], now: dict[UUID, _Running]) -> tuple[list[Decimal], list[int]]:
    """Balance and version after each movement. Raises UnknownProduct."""
    saldos, versions, unknown = [], [], set()
    for movement in movements:
        there = now.get(movement.producto_id)
        if there is None or there.tienda_id != movement.tienda_id:
            unknown.add(movement.producto_id)
            continue
        there.saldo += movement.delta
        there.version += 1
        saldos.append(there.saldo)
        versions.append(there.version)
    if unknown:
        raise UnknownProduct(sorted(unknown))
    return saldos, versions


def balances(*, productos: Sequence[UUID]) -> list[StockBalance]:
    """The balances of products as they are now, in id order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, stock_actual, version FROM productos WHERE id = ANY(%s) ORDER BY id", [list(productos)]
        )
        return [StockBalance(*row) for row in cursor.fetchall()]
