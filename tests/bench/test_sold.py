"""What a round sold is what was written: a sale cut short, another total or a lost sale makes it void."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from django.db import connection
from django.test import Client

from bench import sold
from bench.load import Load, end_of_key
from bench.rounds import Void, assert_sold
from bench.stand import Shop, Stand
from scripts.services import Services
from tests.pipeline.shop import open_shop

RUN = "0123abcd"
LOAD = Load(
    connections=100, requests=1_000, refused=0, broken=0, seconds=4, p50_ms=4, p95_ms=9, p99_ms=12, cpu_s=0.5, run=RUN
)
CART = 7


def key(number: int, run: str = RUN, cart: int = CART) -> str:
    return f"{run}-0000-4000-8000-{end_of_key(number, cart)}"


def written(lost: set[int]) -> list[str]:
    """A thousand sales, without these."""
    return [key(number) for number in range(2, 1_002) if number not in lost]


@pytest.mark.parametrize(
    ("lost", "said"),
    [
        (set(), 0),
        ({50, 51, 300}, 3),
        ({2}, 0),  # wrk makes one request up that it never sends
        (set(range(900, 1_002)), 0),  # under way when the load ended
    ],
)
def test_what_was_sent_before_the_end_is_written(lost: set[int], said: int) -> None:
    assert sold.count_lost(written(lost), LOAD) == said


def test_what_was_refused_is_not_lost() -> None:
    assert sold.count_lost(written({50, 51, 300}), replace(LOAD, refused=2)) == 1
    assert sold.count_lost(written({50, 51, 300}), replace(LOAD, refused=2, broken=1)) == 0


def test_answers_that_take_long_may_all_be_under_way() -> None:
    assert sold.count_lost(written({50}), replace(LOAD, p99_ms=1_500)) == 0
    assert sold.count_lost(written({50}), replace(LOAD, seconds=2)) == 0


def test_another_load_is_not_counted() -> None:
    assert sold.count_lost([key(number, run="ffffffff") for number in range(1, 50)], LOAD) == 0


@pytest.fixture
def stand(services: Services, process_environment: dict[str, str], tmp_path: Path) -> Stand:
    """The servers of the tests, and nothing on them."""
    return Stand(tmp_path, services, process_environment, 0, 0, 0)


def as_sold(cart: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return cart


def without_a_line(cart: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return cart[1:]


def twice_as_much(cart: list[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(producto, 2 * units) for producto, units in cart]


def of_the_first_alone(cart: list[tuple[str, int]]) -> list[tuple[str, int]]:
    """As many units, for the same total."""
    return [(cart[0][0], len(cart))]


@pytest.mark.urls("bench.urls")
@pytest.mark.parametrize(
    ("price_cents", "written", "wrong"),
    [
        (1050, as_sold, 0),
        (1051, as_sold, 1),
        (1050, without_a_line, 1),
        (1050, twice_as_much, 1),
        (1050, of_the_first_alone, 1),
    ],
)
def test_a_venta_is_what_its_cart_was(
    price_cents: int,
    written: Callable[[list[tuple[str, int]]], list[tuple[str, int]]],
    wrong: int,
    stand: Stand,
) -> None:
    shop = open_shop(products=2, stock=10)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE productos SET precio = %s WHERE tienda_id = %s", [f"{price_cents / 100:.2f}", shop.tienda_id]
        )
    cart = [(str(producto), 1) for producto in shop.products]
    post(cart=written(cart), token=shop.token)
    file = stand.folder / "carts"
    file.write_text((body([]) + "\n") * CART + body(cart) + "\n")
    told = Shop(shop.tienda_id, stand.folder / "tokens", file)

    if wrong:
        with pytest.raises(Void, match=r"^1 of 1 ventas are not what their carts were: 0123abcd-"):
            assert_sold(stand, told, newest=1)
    else:
        assert [venta.venta_id for venta in assert_sold(stand, told, newest=5)] == [key(1)]


def body(cart: list[tuple[str, int]]) -> str:
    items = [{"producto_id": producto, "cantidad": units} for producto, units in cart]
    return json.dumps({"items": items, "metodo_pago": "EFECTIVO"})


def post(*, cart: list[tuple[str, int]], token: str) -> None:
    answer = Client().post(
        "/api/v1/bench/for_update",
        orjson.loads(body(cart)),
        content_type="application/json",
        headers={"Host": "127.0.0.1", "Idempotency-Key": key(1), "Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == 201, answer.content
