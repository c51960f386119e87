"""A checkout asks PostgreSQL nothing on the way to a 201."""

from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.pipeline.browser import signed_in
from tests.pipeline.rabbit import SALES, VirtualHost
from tests.pipeline.shop import Shop, open_shop
from ventas import selectors

LOCALHOST = "127.0.0.1"


def by_token(shop: Shop) -> dict[str, str]:
    return {"Authorization": f"Bearer {shop.token}"}


def by_session(shop: Shop) -> dict[str, str]:
    return signed_in(shop, "").headers


def post(client: Client, body: object, headers: dict[str, str]) -> Any:
    return client.post(
        "/api/v1/ventas/checkout",
        orjson.dumps(body),
        content_type="application/json",
        headers={"Host": LOCALHOST, "Idempotency-Key": str(uuid4()), **headers},
    )


@pytest.mark.parametrize("who", [by_token, by_session])
@pytest.mark.parametrize("lines", [1, 5])
def test_no_query(who: Any, lines: int, host: VirtualHost) -> None:
    shop = open_shop(products=lines)
    client = Client(enforce_csrf_checks=True)
    headers = who(shop)
    body = {
        "items": [{"producto_id": str(producto), "cantidad": 1, "precio": 10.5} for producto in shop.products],
        "metodo_pago": "EFECTIVO",
    }
    with CaptureQueriesContext(connection) as first:
        assert post(client, body, headers).status_code == 201
    assert first.captured_queries  # who asks was read once, and with it this test shows that it would see a query

    with CaptureQueriesContext(connection) as queries:
        answers = [post(client, body, headers) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert queries.captured_queries == []
    assert host.ready(SALES) == 4


def test_a_refusal_asks_whether_the_key_is_a_written_sale(host: VirtualHost, monkeypatch: pytest.MonkeyPatch) -> None:
    shop = open_shop(products=1, stock=1)
    client = Client()
    body = {"items": [{"producto_id": str(shop.products[0]), "cantidad": 2}], "metodo_pago": "EFECTIVO"}
    asked = []
    find_sale = selectors.find_sale

    def listen(**key: Any) -> Any:
        asked.append(key)
        return find_sale(**key)

    monkeypatch.setattr(selectors, "find_sale", listen)
    refused = post(client, body, by_token(shop))

    assert (refused.status_code, refused.json()["codigo"]) == (400, "stock_insuficiente")
    assert len(asked) == 1
