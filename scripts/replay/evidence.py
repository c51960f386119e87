"""Ask PostgreSQL and Redis themselves what became of a replay; nothing of the product's own code reads for it.

Except the names of Redis' keys, which are in one place.
"""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from uuid import UUID

import psycopg
import redis

from cache_stock import keys
from scripts.replay.identity import Evidence, ProductEvidence

PAUSE_S = 0.25
STUCK_S = 120.0  # several rounds of the sweep

PRODUCTS = """
WITH rows AS (
    SELECT l.producto_id, l.delta, l.saldo, l.version, l.tipo,
        lag(l.saldo, 1, 0) OVER one AS saldo_before, lag(l.version, 1, 0) OVER one AS version_before
    FROM inventory_ledger l JOIN productos p ON p.id = l.producto_id WHERE p.tienda_id = %(tienda)s
    WINDOW one AS (PARTITION BY l.producto_id ORDER BY l.version)
), ledger AS (
    SELECT producto_id, count(*) AS rows, sum(delta) AS delta, max(version) AS version,
        sum(delta) FILTER (WHERE tipo = 'VENTA') AS sold,
        (array_agg(saldo ORDER BY version DESC))[1] AS saldo,
        count(*) FILTER (WHERE saldo <> saldo_before + delta OR version <> version_before + 1) AS breaks
    FROM rows GROUP BY producto_id
), sold AS (
    SELECT d.producto_id, sum(d.cantidad) AS cantidad
    FROM detalle_ventas d JOIN ventas v ON v.id = d.venta_id WHERE v.tienda_id = %(tienda)s GROUP BY d.producto_id
)
SELECT p.id, p.stock_actual * 1000, p.version, coalesce(ledger.rows, 0), ledger.delta * 1000, ledger.saldo * 1000,
    ledger.version, coalesce(ledger.breaks, 0), coalesce(ledger.sold, 0) * -1000, coalesce(sold.cantidad, 0) * 1000
FROM productos p LEFT JOIN ledger ON ledger.producto_id = p.id LEFT JOIN sold ON sold.producto_id = p.id
WHERE p.tienda_id = %(tienda)s
"""
SALES = """
SELECT count(*), coalesce(sum(total), 0) * 100,
    percentile_disc(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM persistida - fecha) * 1000),
    percentile_disc(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM persistida - fecha) * 1000)
FROM ventas WHERE tienda_id = %(tienda)s
"""
LINES = "SELECT count(*) FROM detalle_ventas d JOIN ventas v ON v.id = d.venta_id WHERE v.tienda_id = %(tienda)s"
OPEN_FAILURES = """
SELECT count(*) FROM ventas_fallidas WHERE tienda_id = %(tienda)s AND estado IN ('ABIERTA', 'REINTENTADA')
"""
PERSISTED = "SELECT count(*) FROM ventas WHERE tienda_id = %(tienda)s"


class Witness:
    """Both servers, seen from outside, about one tienda. A context manager."""

    def __init__(self, *, database_url: str, redis_url: str, tienda_id: UUID) -> None:
        self._tienda_id = tienda_id
        self._database = psycopg.connect(database_url, autocommit=True, connect_timeout=5)
        self._redis = redis.Redis.from_url(redis_url, decode_responses=True, protocol=2)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._database.close()
        self._redis.close()

    def persisted(self) -> int:
        """How many sales are written by now."""
        return int(self._row(PERSISTED)[0])

    def open_failures(self) -> int:
        """How many sales have failed and wait for a person."""
        return int(self._row(OPEN_FAILURES)[0])

    def live_holds(self) -> int:
        """How many sales are held in Redis and not settled."""
        return int(self._redis.zcard(keys.journal(self._tienda_id)))

    def wait_for_rest(self, *, on_progress: Callable[[int], object]) -> bool:
        """Wait until only failed sales are held; False where STUCK_S pass without a sale persisted or settled.

        A sale is held from before its answer until after its commit, so that then every one is written or has failed.
        """
        seen, since = (-1, -1), time.monotonic()
        while True:
            now = (self.persisted(), self.live_holds())
            on_progress(now[0])
            if now[1] <= self.open_failures():
                return True
            if now != seen:
                seen, since = now, time.monotonic()
            elif time.monotonic() - since > STUCK_S:
                return False
            time.sleep(PAUSE_S)

    def gather(self) -> Evidence:
        """Everything that there is to compare."""
        persisted, total, p50_ms, p95_ms = self._row(SALES)
        rows = self._database.execute(PRODUCTS, {"tienda": self._tienda_id}).fetchall()
        with self._redis.pipeline(transaction=False) as pipeline:
            for row in rows:
                pipeline.hmget(keys.stock(self._tienda_id, row[0]), ["saldo", "reservado", "version"])
            stock = pipeline.execute()
        return Evidence(
            products={row[0]: _product(row, kept) for row, kept in zip(rows, stock, strict=True)},
            persisted=persisted,
            lines=int(self._row(LINES)[0]),
            total_centavos=int(total),
            open_failures=self.open_failures(),
            live_holds=self.live_holds(),
            persist_p50_ms=None if p50_ms is None else float(p50_ms),
            persist_p95_ms=None if p95_ms is None else float(p95_ms),
        )

    def _row(self, query: str) -> tuple[Any, ...]:
        row = self._database.execute(query, {"tienda": self._tienda_id}).fetchone()
        if row is None:
            raise AssertionError("an aggregate has one row")
        return row


def _product(row: tuple[Any, ...], kept: list[str | None]) -> ProductEvidence:
    _id, stock, version, rows, delta, saldo, last_version, breaks, ledger_sold, sold = row
    redis_saldo, redis_reservado, redis_version = (None if value is None else int(value) for value in kept)
    return ProductEvidence(
        stock_actual=int(stock),
        version=version,
        ledger_rows=rows,
        ledger_delta=None if delta is None else int(delta),
        ledger_last_saldo=None if saldo is None else int(saldo),
        ledger_last_version=last_version,
        breaks=breaks,
        ledger_sold=int(ledger_sold),
        detalle_cantidad=int(sold),
        redis_saldo=redis_saldo,
        redis_reservado=redis_reservado,
        redis_version=redis_version,
    )
