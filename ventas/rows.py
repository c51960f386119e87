"""The rows of a batch, one statement a table. Used by ventas.persistence alone, inside its transaction.

Plain SQL through Django's connection: ON CONFLICT DO NOTHING has to say which rows went in, which the ORM's bulk_create
does not.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from blend_pos.arrays import array
from ventas.messages import SaleMessage, decimal_text, sale_as_payload
from ventas.models import MotivoFalla

SaleKey = tuple[UUID, UUID]

LOCK_TERMINALS = """
SELECT id, tienda_id, ultimo_recibo FROM terminales WHERE id = ANY(%s::uuid[]) ORDER BY id FOR NO KEY UPDATE
"""
NUMBER_TERMINALS = """
UPDATE terminales SET ultimo_recibo = new.recibo
FROM unnest(%s::uuid[], %s::bigint[]) AS new (id, recibo) WHERE terminales.id = new.id
"""
KNOWN_SALES = """
SELECT ventas.tienda_id, ventas.venta_id, huella FROM ventas
JOIN unnest(%s::uuid[], %s::uuid[]) AS asked (tienda_id, venta_id) USING (tienda_id, venta_id)
"""
FAILED_SALES = """
SELECT tienda_id, venta_id, huella, estado = 'DESCARTADA' OR estado = 'ABIERTA' AND motivo = 'LAPIDA'
FROM ventas_fallidas JOIN unnest(%s::uuid[], %s::uuid[]) AS asked (tienda_id, venta_id) USING (tienda_id, venta_id)
"""
INSERT_SALES = """
INSERT INTO ventas
    (tienda_id, venta_id, huella, fecha, total, metodo_pago, cajero_id, terminal_id, recibo, epoch, persistida)
SELECT *, %s FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::timestamptz[], %s::numeric[], %s::text[],
    %s::integer[], %s::uuid[], %s::bigint[], %s::bigint[])
ON CONFLICT (tienda_id, venta_id) DO NOTHING
RETURNING id, tienda_id, venta_id
"""
INSERT_LINES = """
INSERT INTO detalle_ventas (venta_id, linea, producto_id, cantidad, precio_unitario, impuesto, importe)
SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::uuid[], %s::numeric[], %s::numeric[], %s::numeric[],
    %s::numeric[])
"""
INSERT_PAYMENTS = """
INSERT INTO pagos (venta_id, orden, metodo, importe, recibido, referencia)
SELECT * FROM unnest(%s::bigint[], %s::smallint[], %s::text[], %s::numeric[], %s::numeric[], %s::text[])
"""
RESOLVE_FAILED = """
UPDATE ventas_fallidas SET estado = 'PERSISTIDA', resuelta = %s
FROM unnest(%s::uuid[], %s::uuid[], %s::text[]) AS written (tienda_id, venta_id, huella)
WHERE ventas_fallidas.tienda_id = written.tienda_id AND ventas_fallidas.venta_id = written.venta_id
    AND ventas_fallidas.huella = written.huella AND estado IN ('ABIERTA', 'REINTENTADA')
"""
RECORD_FAILED = """
INSERT INTO ventas_fallidas AS old
    (tienda_id, venta_id, huella, motivo, error, mensaje, cuerpo, con_reserva, registrada, estado, nota)
SELECT tienda_id, venta_id, huella, motivo, error, mensaje, '', con_reserva, %s, 'ABIERTA', ''
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::jsonb[], %s::boolean[])
    AS new (tienda_id, venta_id, huella, motivo, error, mensaje, con_reserva)
ON CONFLICT (tienda_id, venta_id, huella) DO UPDATE
    SET estado = 'ABIERTA', error = excluded.error,
        motivo = CASE WHEN old.estado = 'DESCARTADA' OR old.estado = 'ABIERTA' AND old.motivo = 'LAPIDA' THEN 'LAPIDA'
            ELSE excluded.motivo END,
        con_reserva = CASE WHEN old.estado = 'DESCARTADA' OR old.estado = 'ABIERTA' AND old.motivo = 'LAPIDA' THEN false
            ELSE excluded.con_reserva OR old.con_reserva AND old.estado IN ('ABIERTA', 'REINTENTADA') END,
        resuelta = NULL, resuelta_por_id = NULL, nota = ''
"""


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A sale that is written."""

    key: SaleKey
    huella: str


@dataclass(frozen=True, slots=True)
class FailedState:
    """A sale that failed before. `discarded`: by a supervisor, who has not decided otherwise since."""

    key: SaleKey
    huella: str
    discarded: bool


@dataclass(frozen=True, slots=True)
class FailedRow:
    """A sale to record as failed."""

    sale: SaleMessage
    motivo: MotivoFalla
    con_reserva: bool
    error: str = ""


def query(sql: str, arguments: Sequence[Any]) -> list[tuple[Any, ...]]:
    """The rows of a statement, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def execute(sql: str, arguments: Sequence[Any]) -> None:
    """A statement without rows, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(sql, arguments)


def lock_terminals(terminals: Collection[UUID]) -> dict[UUID, tuple[UUID, int]]:
    """Lock terminals in id order; for each its tienda and its last receipt number."""
    return {terminal: (tienda, last) for terminal, tienda, last in query(LOCK_TERMINALS, [array(terminals)])}


def number_terminals(numbers: dict[UUID, int]) -> None:
    """Write the last receipt number of each terminal, locked before."""
    execute(NUMBER_TERMINALS, [array(numbers), array(numbers.values())])


def known_sales(keys: Sequence[SaleKey]) -> list[KnownRow]:
    """Those of these sales that are written."""
    rows = query(KNOWN_SALES, [array(tienda for tienda, _ in keys), array(venta for _, venta in keys)])
    return [KnownRow((tienda, venta), huella) for tienda, venta, huella in rows]


def failed_sales(keys: Sequence[SaleKey]) -> list[FailedState]:
    """Those of these sales that failed before."""
    rows = query(FAILED_SALES, [array(tienda for tienda, _ in keys), array(venta for _, venta in keys)])
    return [FailedState((tienda, venta), huella, discarded) for tienda, venta, huella, discarded in rows]


def insert_sales(sales: Sequence[SaleMessage], receipts: Sequence[int], now: datetime) -> dict[SaleKey, int]:
    """Insert ventas, given in id order; the primary key of each that went in."""
    if not sales:
        return {}
    rows = query(
        INSERT_SALES,
        [
            now,
            array(sale.tienda_id for sale in sales),
            array(sale.venta_id for sale in sales),
            array(sale.huella for sale in sales),
            array(sale.fecha.isoformat() for sale in sales),
            array(decimal_text(sale.total_centavos, 2) for sale in sales),
            array(sale.metodo_pago for sale in sales),
            array(sale.cajero_id for sale in sales),
            array(sale.terminal_id for sale in sales),
            array(receipts),
            array(sale.epoch for sale in sales),
        ],
    )
    return {(tienda, venta): key for key, tienda, venta in rows}


def insert_lines(sales: Sequence[tuple[int, SaleMessage]]) -> None:
    """Insert the lines of ventas, each given with its primary key."""
    lines = [(venta, number, item) for venta, sale in sales for number, item in enumerate(sale.items, start=1)]
    execute(
        INSERT_LINES,
        [
            array(venta for venta, _, _ in lines),
            array(number for _, number, _ in lines),
            array(item.producto_id for _, _, item in lines),
            array(decimal_text(item.cantidad_milli, 3) for _, _, item in lines),
            array(decimal_text(item.precio_centavos, 2) for _, _, item in lines),
            array(decimal_text(item.impuesto, 2) for _, _, item in lines),
            array(decimal_text(item.importe_centavos, 2) for _, _, item in lines),
        ],
    )


def insert_payments(sales: Sequence[tuple[int, SaleMessage]]) -> None:
    """How written sales were paid, where their tills said so."""
    rows = [(pk, number, each) for pk, sale in sales for number, each in enumerate(sale.pagos, start=1)]
    if rows:
        execute(
            INSERT_PAYMENTS,
            [
                [pk for pk, _, _ in rows],
                [number for _, number, _ in rows],
                [each.metodo for _, _, each in rows],
                [decimal_text(each.importe_centavos, 2) for _, _, each in rows],
                [
                    None if each.recibido_centavos is None else decimal_text(each.recibido_centavos, 2)
                    for *_, each in rows
                ],
                [each.referencia for _, _, each in rows],
            ],
        )


def resolve_failed(sales: Sequence[SaleMessage], now: datetime) -> None:
    """Failed sales that are written after all need nobody any more."""
    if sales:
        execute(
            RESOLVE_FAILED,
            [
                now,
                [sale.tienda_id for sale in sales],
                [sale.venta_id for sale in sales],
                [sale.huella for sale in sales],
            ],
        )


def record_failed(rows: Sequence[FailedRow], now: datetime) -> None:
    """Record failed sales as open; one that was closed is open again, since its message came again.

    One that was discarded stays a LAPIDA until it is retried: no further copy of it is written, and it holds nothing,
    since its goods came back or were written off. Any other hold stays known.
    """
    if rows:
        execute(
            RECORD_FAILED,
            [
                now,
                [row.sale.tienda_id for row in rows],
                [row.sale.venta_id for row in rows],
                [row.sale.huella for row in rows],
                [str(row.motivo) for row in rows],
                [row.error for row in rows],
                [orjson.dumps(sale_as_payload(row.sale)).decode() for row in rows],
                [row.con_reserva for row in rows],
            ],
        )
