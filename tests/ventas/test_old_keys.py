"""What a key is answered that is not an ordinary sale's, or that Redis has forgotten."""

import time
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import UUID, uuid4

import orjson
import pytest
from django.test import Client

from blend_pos.tiendas.models import Rol
from cache_stock import keys, reservation
from cache_stock.operations import Operation
from cache_stock.scripts import stock_client
from inventario.models import TipoMovimiento
from tests.pipeline.messages import hold
from tests.pipeline.rabbit import VirtualHost
from tests.pipeline.shop import Shop, open_shop
from ventas import failed_sales, persistence, recovery
from ventas.messages import read_sale

THREE_DAYS_MS = 72 * 3_600_000


@pytest.fixture
def shop(host: VirtualHost) -> Shop:
    return open_shop(products=1)


@pytest.fixture
def client(shop: Shop) -> Client:
    return Client(headers={"Authorization": f"Bearer {shop.token}"})


def test_a_sale_that_was_discarded_long_ago_is_not_promised_again(shop: Shop, client: Client) -> None:
    made_ms = int(time.time() * 1000) - THREE_DAYS_MS
    key = UUID(int=made_ms << 80 | 7 << 76 | 2 << 62 | uuid4().int & (1 << 62) - 1)
    sale = read_sale(hold(shop, [(shop.products[0], 1_000)], venta_id=key))
    now = datetime.now(UTC)
    recovery.record_failed_sale(sale=sale, error="no", now=now)
    (failed,) = shop.fallidas()
    supervisor = shop.users[Rol.ADMINISTRADOR].pk
    failed_sales.discard(failed_id=failed.pk, usuario_id=supervisor, nota="volvió", goods_came_back=True, now=now)
    stock_client().delete(keys.answer(shop.tienda_id, key))  # two days have passed

    answer = client.post(
        "/api/v1/ventas/checkout",
        orjson.dumps({"items": [{"producto_id": str(shop.products[0]), "cantidad": 1}], "metodo_pago": "EFECTIVO"}),
        content_type="application/json",
        headers={"Idempotency-Key": str(key)},
    )

    assert (answer.status_code, answer.json()["codigo"]) == (HTTPStatus.UNPROCESSABLE_ENTITY, "venta_anulada")
    assert not shop.holds()


def test_a_discarded_cart_leaves_the_answer_of_the_sale_that_is_written_under_its_key(shop: Shop) -> None:
    key, now = uuid4(), datetime.now(UTC)
    written = read_sale(hold(shop, [(shop.products[0], 1_000)], venta_id=key))
    persistence.settle(written=persistence.write(sales=[written], now=now))
    kept = stock_client().get(keys.answer(shop.tienda_id, key))
    stock_client().delete(keys.answer(shop.tienda_id, key))
    other = read_sale(hold(shop, [(shop.products[0], 2_000)], venta_id=key))  # under the same key, two days later
    persistence.settle(written=persistence.write(sales=[other], now=now))
    stock_client().set(keys.answer(shop.tienda_id, key), str(kept))
    (failed,) = shop.fallidas()
    supervisor = shop.users[Rol.ADMINISTRADOR].pk
    failed_sales.discard(failed_id=failed.pk, usuario_id=supervisor, nota="volvió", goods_came_back=True, now=now)

    assert stock_client().get(keys.answer(shop.tienda_id, key)) == kept
    assert not shop.holds()


def test_an_adjustment_that_is_held_is_no_sale(shop: Shop, client: Client) -> None:
    operation = Operation(
        tienda_id=shop.tienda_id,
        operacion=uuid4(),
        tipo=TipoMovimiento.AJUSTE,
        quantities={shop.products[0]: 1_000},
        motivo="merma",
        usuario_id=shop.users[Rol.ADMINISTRADOR].pk,
        fecha=datetime.now(UTC),
    )
    reservation.reserve(
        tienda_id=shop.tienda_id,
        venta_id=operation.operacion,
        huella=operation.huella,
        nonce="n",
        wanted=[reservation.Wanted(shop.products[0], 1_000)],
        pedido=operation.encode(),
        now_ms=int(time.time() * 1000),
        sweep_after_ms=THREE_DAYS_MS,
        most_holds=10,
    )

    assert client.get(f"/api/v1/ventas/{operation.operacion}").status_code == HTTPStatus.NOT_FOUND
