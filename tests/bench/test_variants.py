"""The baselines sell right: whoever compares himself with them compares himself with something that works."""

from decimal import Decimal
from functools import partial
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.db import connection
from django.test import Client

from bench.variants.locking import VARIANTS
from tests.concurrency.together import all_at_once
from tests.pipeline.shop import Shop, open_shop

pytestmark = [pytest.mark.urls("bench.urls"), pytest.mark.usefixtures("live_db")]


def sell(shop: Shop, variant: str, cart: dict[int, float]) -> Any:
    """One cart: units of each product, by its place."""
    return Client().post(
        f"/api/v1/bench/{variant}",
        orjson.dumps(
            {
                "items": [{"producto_id": str(shop.products[at]), "cantidad": units} for at, units in cart.items()],
                "metodo_pago": "EFECTIVO",
            }
        ),
        content_type="application/json",
        headers={"Host": "127.0.0.1", "Idempotency-Key": str(uuid4()), "Authorization": f"Bearer {shop.token}"},
    )


def ledger_adds_up(shop: Shop) -> bool:
    """For each product: stock_actual = Σ delta = the last saldo, versions without a gap."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT bool_and(stock = deltas AND stock = saldo AND version = rows) FROM ("
            "SELECT stock_actual AS stock, producto.version, sum(delta) AS deltas, count(*) AS rows,"
            " (array_agg(saldo ORDER BY movimiento.version DESC))[1] AS saldo"
            " FROM productos AS producto JOIN inventory_ledger AS movimiento ON producto_id = producto.id"
            " WHERE tienda_id = %s GROUP BY producto.id) AS each",
            [shop.tienda_id],
        )
        ((adds_up,),) = cursor.fetchall()
    return bool(adds_up)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_cart_is_sold_with_all_its_rows(variant: str) -> None:
    shop = open_shop(products=3, stock=10)
    answer = sell(shop, variant, {2: 1, 0: 2.5})
    assert answer.status_code == 201, answer.content
    first, _second, third = (shop.precios[producto] for producto in shop.products)
    assert answer.json()["total"] == pytest.approx((first * 2.5 + third) / 100, abs=0.005)
    assert list(shop.stock().values()) == [7_500, 10_000, 9_000]
    (venta,) = shop.ventas()
    assert [line.cantidad for line in venta.detalles.order_by("producto_id")] == [Decimal("2.5"), 1]
    assert ledger_adds_up(shop)


@pytest.mark.parametrize("variant", VARIANTS)
def test_nothing_is_written_where_one_product_is_short(variant: str) -> None:
    shop = open_shop(products=2, stock=3)
    assert sell(shop, variant, {0: 1, 1: 4}).status_code == 400
    assert list(shop.stock().values()) == [3_000, 3_000]
    assert shop.ventas() == []
    assert ledger_adds_up(shop)


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_last_units_are_sold_once(variant: str) -> None:
    shop = open_shop(products=2, stock=5)
    carts: list[dict[int, float]] = [{0: 1, 1: 1}, {1: 1, 0: 1}]

    def sell_one(cart: dict[int, float]) -> int:
        try:
            return int(sell(shop, variant, cart).status_code)
        finally:
            connection.close()

    answers = all_at_once([partial(sell_one, carts[number % 2]) for number in range(12)])
    assert len(shop.ventas()) == answers.count(201)
    if variant == "for_update_naive":  # where two lock each other out, PostgreSQL ends one
        assert set(answers) <= {201, 400, 503}
        assert 0 < answers.count(201) <= 5
    else:
        assert sorted(answers) == [201] * 5 + [400] * 7
    assert ledger_adds_up(shop)
