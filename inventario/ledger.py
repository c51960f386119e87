"""The only writer of stock: products locked in id order, a ledger row for each movement, the balance with its
version."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction

from inventario.models import TipoMovimiento

LOCK = """
SELECT id, tienda_id, stock_actual, version FROM productos WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
APPEND = """
INSERT INTO inventory_ledger
    (producto_id, fecha, tipo, delta, saldo, version, venta_id, linea, operacion, motivo, usuario_id)
SELECT * FROM unnest(%s::uuid[], %s::timestamptz[], %s::text[], %s::numeric[], %s::numeric[], %s::bigint[],
    %s::bigint[], %s::smallint[], %s::uuid[], %s::text[], %s::integer[])
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
        cursor.execute(LOCK, [ids])
        rows = cursor.fetchall()
        now = {producto: (saldo, version) for producto, _tienda, saldo, version in rows}
        owners = {producto: tienda for producto, tienda, _saldo, _version in rows}
        unknown = {m.producto_id for m in movements if owners.get(m.producto_id) != m.tienda_id}
        if unknown:
            raise UnknownProduct(sorted(unknown))
        columns = defaultdict(list)
        for movement in movements:
            saldo, version = now[movement.producto_id]
            saldo, version = saldo + movement.delta, version + 1
            now[movement.producto_id] = (saldo, version)
            columns["saldo"].append(saldo)
            columns["version"].append(version)
        # What moved otherwise than by a sale counts as changed: a till, or a warmup that missed it, asks for that.
        changed = {m.producto_id for m in movements if m.tipo != TipoMovimiento.VENTA}
        sold = [p not in changed for p in ids]
        cursor.execute(UPDATE, [ids, [now[p][0] for p in ids], [now[p][1] for p in ids], sold])
        cursor.execute(
            APPEND,
            [
                [m.producto_id for m in movements],
                [m.fecha for m in movements],
                [m.tipo for m in movements],
                [m.delta for m in movements],
                columns["saldo"],
                columns["version"],
                [m.venta for m in movements],
                [m.linea for m in movements],
                [m.operacion for m in movements],
                [m.motivo for m in movements],
                [m.usuario_id for m in movements],
            ],
        )
    return [StockBalance(producto, *now[producto]) for producto in ids]


def balances(*, productos: Sequence[UUID]) -> list[StockBalance]:
    """The balances of products as they are now, in id order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, stock_actual, version FROM productos WHERE id = ANY(%s) ORDER BY id", [list(productos)]
        )
        return [StockBalance(*row) for row in cursor.fetchall()]
