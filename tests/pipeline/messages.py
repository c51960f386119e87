"""Sale messages made by a test, as the checkout would have made them."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.conf import settings

from blend_pos.tiendas.models import Tienda
from cache_stock import reservation
from cache_stock.reservation import HeldProduct
from tests.pipeline.rabbit import VirtualHost
from tests.pipeline.shop import Shop
from ventas.messages import Pedido, SaleMessage, fingerprint, read_sale, sale_payload
from ventas.publisher import persist_message

MilliLines = Sequence[tuple[UUID, int]]


def as_payload(
    shop: Shop,
    lines: MilliLines,
    *,
    venta_id: UUID | None = None,
    epoch: int | None = None,
    cajero_id: int | None = None,
    terminal_id: UUID | None = None,
    metodo_pago: str = "EFECTIVO",
) -> dict[str, Any]:
    """A sale of the shop as it travels; nothing is held for it. Lines in thousandths."""
    if epoch is None:
        epoch = Tienda.objects.values_list("epoch", flat=True).get(pk=shop.tienda_id)
    pedido = Pedido(
        datetime.now(UTC).isoformat(),
        shop.users["cajero"].pk if cajero_id is None else cajero_id,
        str(terminal_id or shop.seats[0].terminal_id),
        metodo_pago,
        tuple((str(producto), cantidad) for producto, cantidad in lines),
    )
    products = [HeldProduct(producto, n, shop.precios.get(producto, 100), 1600, 1) for producto, n in lines]
    payload, _total = sale_payload(
        tienda_id=shop.tienda_id,
        venta_id=venta_id or uuid4(),
        huella=fingerprint(lines=lines, metodo_pago=metodo_pago),
        epoch=epoch,
        pedido=pedido,
        products=products,
    )
    return payload


def as_sale(shop: Shop, lines: MilliLines, **more: Any) -> SaleMessage:
    """The same, read."""
    return read_sale(as_payload(shop, lines, **more))


def hold(
    shop: Shop,
    lines: MilliLines,
    *,
    venta_id: UUID | None = None,
    sweep_after_ms: int = settings.SWEEP_AFTER_MS,
    **more: Any,
) -> dict[str, Any]:
    """The same, with its stock held in Redis as a checkout holds it."""
    payload = as_payload(shop, lines, venta_id=venta_id, **more)
    held = reservation.reserve(
        tienda_id=shop.tienda_id,
        venta_id=UUID(payload["venta_id"]),
        huella=payload["huella"],
        nonce=uuid4().hex,
        wanted=[reservation.Wanted(producto, cantidad) for producto, cantidad in lines],
        pedido=_pedido(payload, lines).encode(),
        now_ms=int(time.time() * 1000),
        sweep_after_ms=sweep_after_ms,
        most_holds=settings.HOLDS_MAX_PER_TIENDA,
    )
    assert isinstance(held, reservation.Hold)
    return payload


def _pedido(payload: dict[str, Any], lines: MilliLines) -> Pedido:
    return Pedido(
        payload["timestamp"],
        payload["cajero_id"],
        payload["terminal_id"],
        payload["metodo_pago"],
        tuple((str(producto), cantidad) for producto, cantidad in lines),
    )


def put(host: VirtualHost, payloads: Sequence[dict[str, Any]], *, retries: int = 0) -> None:
    """One message with these sales, on the sales queue, as the publisher would have sent it."""
    put_all(host, [payloads], retries=retries)


def put_all(host: VirtualHost, pieces: Sequence[Sequence[dict[str, Any]]], *, retries: int = 0) -> None:
    """A message for each piece."""
    messages = [persist_message([orjson.dumps(payload) for payload in piece], retries=retries) for piece in pieces]
    host.publish_all(
        [
            (message.body, {"headers": message.headers, "correlation_id": message.properties["correlation_id"]})
            for message in messages
        ]
    )
