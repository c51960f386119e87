"""A hold in Redis that somebody has spoilt stops no other sale, and is never answered as if nothing were held."""

import time
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from cache_stock import keys, reservation, scripts
from tests.pipeline.messages import hold
from tests.pipeline.shop import Shop, open_shop
from tests.tiendas.people import bearer
from ventas.in_flight import Fate, live_sales

SPOILT = [
    {"lineas": "nothing"},
    {"lineas": "x;"},
    {"lineas": "no-uuid 1 2 3 4;"},
    {"lineas": ""},
    {"pedido": "{"},
    {"pedido": "[]"},
    {"pedido": "{}"},
    {"pedido": '{"fecha": 1, "cajero": [], "terminal": null, "pago": 5, "lineas": [["a", 1]]}'},
    {"epoch": "x"},
]
READABLE_LINES = [spoilt for spoilt in SPOILT if "pedido" in spoilt or spoilt == {"lineas": ""}]


@pytest.fixture
def shop(live_db: None) -> Shop:
    return open_shop()


def spoilt_hold(shop: Shop, spoilt: dict[str, str]) -> dict[str, Any]:
    payload = hold(shop, [(shop.products[0], 1_000)], sweep_after_ms=-1)
    key = keys.hold(shop.tienda_id, UUID(payload["venta_id"]))
    for field, value in spoilt.items():
        scripts.set_field(key=key, field=field, value=value)
    return payload


@pytest.mark.parametrize("spoilt", SPOILT, ids=str)
def test_it_is_followed_and_sent_again_without_a_lie(shop: Shop, spoilt: dict[str, str]) -> None:
    payload = spoilt_hold(shop, spoilt)
    client = Client(headers=bearer(shop.token))

    followed = client.get(f"/api/v1/ventas/{payload['venta_id']}")
    body = {
        "items": [{"producto_id": str(shop.products[0]), "cantidad": 1}],
        "metodo_pago": "EFECTIVO",
    }
    again = client.post(
        "/api/v1/ventas/checkout",
        body,
        content_type="application/json",
        headers={"Idempotency-Key": payload["venta_id"]},
    )

    assert followed.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert again.status_code == HTTPStatus.ACCEPTED
    assert set(shop.holds()) == {UUID(payload["venta_id"])}


def test_the_sweep_takes_the_others(shop: Shop) -> None:
    for spoilt in SPOILT:
        spoilt_hold(shop, spoilt)
    good = hold(shop, [(shop.products[1], 1_000)], sweep_after_ms=-1)

    claimed = reservation.claim_overdue(
        tienda_id=shop.tienda_id,
        now_ms=int(time.time() * 1000) + 1,
        first_pause_ms=1000,
        longest_pause_ms=1000,
        most=100,
    )

    assert UUID(good["venta_id"]) in {each.venta_id for each in claimed}
    assert len(claimed) == 1 + len(READABLE_LINES)
    assert shop.is_armed()


@pytest.mark.parametrize("spoilt", [spoilt for spoilt in SPOILT if "epoch" not in spoilt], ids=str)
def test_a_manager_sees_that_it_cannot_be_read(shop: Shop, spoilt: dict[str, str]) -> None:
    spoilt_hold(shop, spoilt)
    (sale,) = live_sales(tienda_id=shop.tienda_id, now_ms=int(time.time() * 1000))
    assert sale.fate is Fate.UNREADABLE


def test_an_answer_that_is_spoilt_is_postgresqls_to_give(shop: Shop) -> None:
    """Here PostgreSQL knows of no such sale, and nothing is said that could be wrong."""
    venta = uuid4()
    payload = hold(shop, [(shop.products[0], 1_000)], venta_id=venta)
    reservation.settle(
        tienda_id=shop.tienda_id,
        sales=[reservation.SettledSale(venta, payload["huella"], "{")],
        balances=[],
        answer_ttl_s=60,
    )
    again = Client(headers=bearer(shop.token)).post(
        "/api/v1/ventas/checkout",
        {"items": [{"producto_id": str(shop.products[0]), "cantidad": 1}], "metodo_pago": "EFECTIVO"},
        content_type="application/json",
        headers={"Idempotency-Key": str(venta)},
    )
    assert again.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    assert again.json()["codigo"] == "stock_no_disponible"
