"""A worker with nothing but what has to be done: the same rows by COPY, under the same locks, in the biggest batches
that wait; no Celery, no Django connection, no look at what might be wrong.

`python -m bench.floors.worker` consumes queue.sales.created until it is told to stop.
"""

import os
import signal
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import psycopg
from django.conf import settings
from kombu import Connection

from cache_stock import reservation
from ventas import topology

READY = "copy_floor is ready."
MOST_SALES = 1_000
PREFETCH = 200
WAIT_S = 1.0
MORE_WITHIN_S = 0.002

ARRIVED = """
CREATE TEMP TABLE arrived (tienda_id uuid, venta_id uuid, huella text, fecha timestamptz, total numeric,
    metodo_pago text, cajero_id integer, terminal_id uuid, recibo bigint, epoch bigint) ON COMMIT DELETE ROWS
"""
SHARE = "SELECT pg_advisory_xact_lock_shared(hashtextextended(id, 0)) FROM unnest(%s::text[]) AS id"
TERMINALS = "SELECT id::text, ultimo_recibo FROM terminales WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
SALES = """
INSERT INTO ventas
    (tienda_id, venta_id, huella, fecha, total, metodo_pago, cajero_id, terminal_id, recibo, epoch, persistida)
SELECT *, %s FROM arrived ORDER BY tienda_id, venta_id ON CONFLICT (tienda_id, venta_id) DO NOTHING
RETURNING id, venta_id::text
"""
PRODUCTS = """
SELECT id::text, (stock_actual * 1000)::bigint, version FROM productos WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE
"""
TAKE = """
UPDATE productos SET stock_actual = new.saldo / 1000.0, version = new.version
FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS new (id, saldo, version) WHERE productos.id = new.id
"""
NUMBER = """
UPDATE terminales SET ultimo_recibo = new.recibo FROM unnest(%s::uuid[], %s::bigint[]) AS new (id, recibo)
WHERE terminales.id = new.id
"""
COPY_ARRIVED = "COPY arrived FROM STDIN"
COPY_LINES = (
    "COPY detalle_ventas (venta_id, linea, producto_id, cantidad, precio_unitario, impuesto, importe) FROM STDIN"
)
COPY_LEDGER = """
COPY inventory_ledger (producto_id, fecha, tipo, delta, saldo, version, venta_id, linea, motivo, usuario_id) FROM STDIN
"""

Sale = dict[str, Any]


def persist(database: psycopg.Connection, sales: Sequence[Sale]) -> None:
    """One transaction, then the settlement, a call a tienda."""
    now = datetime.now(UTC).isoformat()
    with database.transaction(), database.cursor() as cursor:
        cursor.execute(SHARE, [sorted({sale["tienda_id"] for sale in sales})])
        cursor.execute(TERMINALS, [list({sale["terminal_id"] for sale in sales})])
        receipts: dict[str, int] = dict(cursor.fetchall())
        arrived = []
        for sale in sales:
            receipts[sale["terminal_id"]] += 1
            columns = ("tienda_id", "venta_id", "huella", "timestamp", "total", "metodo_pago", "cajero_id")
            row = [sale[name] for name in columns]
            arrived.append([*row, sale["terminal_id"], receipts[sale["terminal_id"]], sale["epoch"]])
        _copy(cursor, COPY_ARRIVED, arrived)
        cursor.execute(SALES, [now])
        ids = {venta: key for key, venta in cursor.fetchall()}
        written = [(ids[sale["venta_id"]], sale) for sale in sales if sale["venta_id"] in ids]
        balances = _take(cursor, written)
        cursor.execute(NUMBER, [list(receipts), list(receipts.values())])
    _settle(sales, balances)


def _take(cursor: "psycopg.Cursor[Any]", written: Sequence[tuple[int, Sale]]) -> dict[str, tuple[int, int]]:
    """Lines, ledger and products; the balance of each product in thousandths, with its version."""
    products = {item["producto_id"] for _key, sale in written for item in sale["items"]}
    cursor.execute(PRODUCTS, [list(products)])
    now = {producto: (saldo, version) for producto, saldo, version in cursor.fetchall()}
    lines, ledger = [], []
    for key, sale in written:
        for number, item in enumerate(sale["items"], start=1):
            producto, cantidad = item["producto_id"], item["cantidad"]
            saldo, version = now[producto]
            saldo, version = saldo - int(cantidad.replace(".", "")), version + 1
            now[producto] = saldo, version
            lines.append([key, number, producto, cantidad, item["precio"], item["impuesto"], item["importe"]])
            moved = [producto, sale["timestamp"], "VENTA", "-" + cantidad, f"{saldo // 1000}.{saldo % 1000:03d}"]
            ledger.append([*moved, version, key, number, "", sale["cajero_id"]])
    _copy(cursor, COPY_LINES, lines)
    cursor.execute(TAKE, [list(now), [saldo for saldo, _ in now.values()], [version for _, version in now.values()]])
    _copy(cursor, COPY_LEDGER, ledger)
    return now


def _copy(cursor: "psycopg.Cursor[Any]", statement: str, rows: Iterable[Sequence[object]]) -> None:
    with cursor.copy(statement) as copy:
        copy.write("".join("\t".join(map(str, row)) + "\n" for row in rows))


def _settle(sales: Sequence[Sale], balances: dict[str, tuple[int, int]]) -> None:
    for tienda in {sale["tienda_id"] for sale in sales}:
        mine = [sale for sale in sales if sale["tienda_id"] == tienda]
        productos = {item["producto_id"] for sale in mine for item in sale["items"]}
        reservation.settle(
            tienda_id=UUID(tienda),
            sales=[
                reservation.SettledSale(UUID(sale["venta_id"]), sale["huella"], f'{{"total":{sale["total"]}}}')
                for sale in mine
            ],
            balances=[reservation.Balance(UUID(producto), *balances[producto]) for producto in productos],
            answer_ttl_s=settings.ANSWER_TTL_S,
        )


def main() -> None:
    """Take what waits, persist it, acknowledge it, again and again."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    with (
        psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as database,
        Connection(settings.RABBITMQ_URL) as broker,
    ):
        database.execute(ARRIVED)
        arrived: list[Any] = []
        channel: Any = broker.channel()  # py-amqp's, whose methods kombu's stubs do not know
        channel.basic_qos(0, PREFETCH, False)
        channel.basic_consume(topology.SALES_QUEUE.name, callback=arrived.append)
        print(READY, flush=True)
        while True:
            sales: list[Sale] = []
            _wait_for_one(broker, arrived)
            while arrived and len(sales) < MOST_SALES:
                message = arrived.pop(0)
                sales += orjson.loads(message.body)[1]["ventas"]
                last = message.delivery_tag
                if not arrived:
                    _drain(broker, MORE_WITHIN_S)
            persist(database, sales)
            channel.basic_ack(last, multiple=True)


def _wait_for_one(broker: Connection, arrived: Sequence[object]) -> None:
    while not arrived:
        _drain(broker, WAIT_S)


def _drain(broker: Connection, within_s: float) -> None:
    try:
        broker.drain_events(timeout=within_s)
    except TimeoutError:
        return


if __name__ == "__main__":
    main()
