"""The counting itself: what it is to notice, done on purpose."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest

from inventario import ledger
from inventario.ledger import Movement, StockBalance
from tests.faults.counting import late_answers, rest_violations
from tests.faults.customers import Asked, Cart
from tests.pipeline.messages import as_sale
from tests.pipeline.shop import Shop, open_shop
from ventas import batches
from ventas.models import Venta

Movements = Sequence[Movement]


def sell(shop: Shop) -> Cart:
    """A sale of two lines, written as a worker writes it."""
    sale = as_sale(shop, [(shop.products[0], 1_000), (shop.products[1], 2_500)])
    assert not batches.persist_all(sales=[sale], heard=lambda _verdict: None)
    return Cart(shop, sale.venta_id, [(shop.products[0], 1), (shop.products[1], 2.5)])


def test_what_is_as_it_must_be(live_db: None) -> None:
    shop = open_shop()

    assert rest_violations(shop, [sell(shop)]) == []


@pytest.mark.parametrize(
    "wrong",
    [
        lambda movements: movements[:1],
        lambda movements: [replace(each, delta=2 * each.delta) for each in movements],
        lambda movements: [replace(each, linea=each.linea + 7) for each in movements],
    ],
    ids=["a line takes no stock", "twice as much", "under another line"],
)
def test_a_line_that_does_not_take_what_it_says(
    wrong: Callable[[Movements], Movements], live_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stock, ledger and Redis agree with each other all the same."""
    shop, record = open_shop(), ledger.record

    def record_wrongly(*, movements: Movements) -> list[StockBalance]:
        return record(movements=wrong(movements))

    monkeypatch.setattr(ledger, "record", record_wrongly)
    cart = sell(shop)

    found = rest_violations(shop, [cart])

    assert found
    assert all(each.startswith(f"I1 {cart.key}, line") for each in found)


@pytest.mark.parametrize("wrong", [{"total": Decimal("27.00")}, {"metodo_pago": "TARJETA"}])
def test_money_that_is_not_what_the_lines_cost(wrong: dict[str, Any], live_db: None) -> None:
    shop = open_shop()
    cart = sell(shop)
    Venta.objects.filter(venta_id=cart.key).update(**wrong)

    (found,) = rest_violations(shop, [cart])

    assert found.startswith(f"I5 {cart.key}: 36.75 by EFECTIVO, written")


def test_a_late_answer_is_excused_only_where_its_request_was_held(live_db: None) -> None:
    shop = open_shop(warm=False)
    asked = [Asked(0, 3, 201, ""), Asked(10, 13, 201, ""), Asked(20, 21.9, 201, ""), Asked(30, 31, None, "")]
    cart = Cart(shop, uuid4(), [], asked)

    assert late_answers([cart], [], [2.5, 12.0]) == [f"I7 {cart.key}: {asked[3]}"]
    assert late_answers([cart], [(29, 30.5)], [2.5, 2.6]) == [f"I7 {cart.key}: {asked[1]}"]
    assert late_answers([cart], [(29, 30.5)], [5.0]) == [f"I7 {cart.key}: {each}" for each in asked[:2]]


def test_an_answer_that_is_not_what_the_lines_cost(live_db: None) -> None:
    shop = open_shop()
    cart = sell(shop)
    cart.asked = [Asked(0, 1, 201, "", total=36.75), Asked(1, 2, 201, "", total=36.5)]

    (found,) = rest_violations(shop, [cart])

    assert found.startswith(f"I7 {cart.key}: costs 36.75, told")
