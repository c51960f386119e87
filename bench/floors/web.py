"""The same script and the same publish from a bare WSGI function: no framework, nobody asked who they are, nothing
checked. BENCH_SEAT is the JSON of {"tienda", "terminal", "cajero"}.

What the machine can do, so that it can be said how far the product is from it.
"""

import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import UUID, uuid4

import orjson
from django.conf import settings

from cache_stock import reservation
from ventas.checkout import PUBLISHER
from ventas.messages import Pedido, fingerprint, sale_payload
from ventas.publisher import Outcome

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

SEAT = orjson.loads(os.environ["BENCH_SEAT"])
TIENDA, TERMINAL, CAJERO = UUID(SEAT["tienda"]), SEAT["terminal"], SEAT["cajero"]
WITHIN_S = 1.5


def application(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
    """Hold the cart, publish it, say so."""
    body = orjson.loads(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])))
    venta_id, now = UUID(environ["HTTP_IDEMPOTENCY_KEY"]), datetime.now(UTC)
    lines = [(UUID(item["producto_id"]), int(item["cantidad"]) * 1000) for item in body["items"]]
    metodo = body["metodo_pago"]
    huella = fingerprint(lines=lines, metodo_pago=metodo)
    asked = tuple((str(producto), cantidad) for producto, cantidad in lines)
    pedido = Pedido(now.isoformat(), CAJERO, TERMINAL, metodo, asked)
    hold = reservation.reserve(
        tienda_id=TIENDA,
        venta_id=venta_id,
        huella=huella,
        nonce=uuid4().hex,
        wanted=[reservation.Wanted(producto, cantidad) for producto, cantidad in lines],
        pedido=pedido.encode(),
        now_ms=int(now.timestamp() * 1000),
        sweep_after_ms=settings.SWEEP_AFTER_MS,
        most_holds=settings.HOLDS_MAX_PER_TIENDA,
    )
    if isinstance(hold, reservation.Persisted):
        raise TypeError(f"{venta_id} is sold already")
    payload, total = sale_payload(
        tienda_id=TIENDA, venta_id=venta_id, huella=huella, epoch=hold.epoch, pedido=pedido, products=hold.products
    )
    published = PUBLISHER.publish(tienda_id=TIENDA, payload=orjson.dumps(payload), deadline=time.monotonic() + WITHIN_S)
    taken = published.outcome is Outcome.CONFIRMED
    answer = orjson.dumps({"venta_id": venta_id, "estado": "RESERVADA", "total": total / 100})
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
    start_response("201 Created" if taken else "503 Service Unavailable", headers)
    return [answer]
