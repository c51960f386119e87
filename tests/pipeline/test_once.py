"""A sale happens once, however often it is sent, delivered or asked about."""

from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from uuid import uuid4

from cache_stock import keys, scripts
from tests.pipeline.messages import as_payload, put
from tests.pipeline.processes import Pipeline
from tests.pipeline.rabbit import SALES
from tests.pipeline.shop import open_shop
from tests.pipeline.till import assert_created


def test_the_same_message_five_times(pipeline: Pipeline) -> None:
    shop = open_shop()
    till = pipeline.till(shop)
    with pipeline.worker_aside():
        sold = till.sell([(shop.products[0], 2)])
        pipeline.host.wait_ready(SALES, 1)
        message = pipeline.host.take(SALES)
        assert message is not None
        for _ in range(5):
            pipeline.host.publish(message.body, headers=message.headers)
        marker = till.sell([(shop.products[1], 1)])  # behind them all

    shop.settle_down(ventas=2)

    assert shop.written() == {sold.key: 1, marker.key: 1}
    assert shop.stock()[shop.products[0]] == 998_000
    assert not shop.fallidas()
    shop.assert_exact()


def test_five_copies_in_one_message(pipeline: Pipeline) -> None:
    shop = open_shop()
    payload = as_payload(shop, [(shop.products[0], 1_000)])

    put(pipeline.host, [payload] * 5)

    shop.settle_down(ventas=1)
    assert shop.stock()[shop.products[0]] == 999_000
    assert not shop.fallidas()
    shop.assert_exact()


def test_the_same_key_in_two_tiendas_is_two_sales(pipeline: Pipeline) -> None:
    first, second = open_shop(), open_shop()
    key = uuid4()

    for shop in (first, second):
        assert_created([pipeline.till(shop).sell([(shop.products[0], 1)], key=key)])

    for shop in (first, second):
        shop.settle_down(ventas=1)
        assert shop.written() == {key: 1}
        shop.assert_exact()


def test_the_same_key_answers_the_same_before_and_after_it_is_written(pipeline: Pipeline) -> None:
    shop = open_shop(products=2, precios=("10.05", "7.77"))
    till = pipeline.till(shop)
    cart = [(shop.products[0], 1), (shop.products[1], 0.333)]
    with pipeline.worker_aside():
        first = till.sell(cart)
        again = till.sell(cart, key=first.key)
        assert again.status == HTTPStatus.CREATED
        assert again.reply.body == first.reply.body
        assert len(shop.holds()) == 1
    shop.settle_down(ventas=1)

    later = till.sell(cart, key=first.key)

    assert later.status == HTTPStatus.CREATED
    same = ("venta_id", "fecha", "total", "metodo_pago", "cantidad_items")
    assert {name: later.reply.body[name] for name in same} == {name: first.reply.body[name] for name in same}
    assert later.reply.body["estado"] == "PERSISTIDA"
    pipeline.host.wait_empty()
    assert shop.written() == {first.key: 1}
    shop.assert_exact()


def test_a_key_with_another_cart_is_refused_before_and_after_it_is_written(pipeline: Pipeline) -> None:
    shop = open_shop()
    till = pipeline.till(shop)
    cart, other = [(shop.products[0], 1)], [(shop.products[0], 2)]
    with pipeline.worker_aside():
        first = till.sell(cart)
        refused = [till.sell(other, key=first.key), till.sell(cart, key=first.key, metodo_pago="TARJETA")]
    shop.settle_down(ventas=1)
    refused.append(till.sell(other, key=first.key))
    scripts.stock_client().delete(keys.answer(shop.tienda_id, first.key))  # the cache of answers is no truth
    refused.append(till.sell([(shop.products[0], 5_000)], key=first.key))

    assert [(one.status, one.reply.body["codigo"]) for one in refused] == [(422, "clave_reutilizada")] * 4
    pipeline.host.wait_empty()
    assert shop.written() == {first.key: 1}
    assert not shop.fallidas()
    shop.assert_exact()


def test_a_new_cart_under_a_written_key_that_redis_forgot_is_no_second_sale(pipeline: Pipeline) -> None:
    """Redis may have dropped the answer: the worker meets the Venta, and what it cannot write is kept, not lost."""
    shop = open_shop()
    till = pipeline.till(shop)
    first = till.sell([(shop.products[0], 1)])
    shop.settle_down(ventas=1)
    scripts.stock_client().delete(keys.answer(shop.tienda_id, first.key))

    same = till.sell([(shop.products[0], 1)], key=first.key)
    shop.settle_down(holds=0)
    other = till.sell([(shop.products[1], 2)], key=first.key)

    assert same.status == HTTPStatus.CREATED
    assert other.status == HTTPStatus.UNPROCESSABLE_ENTITY  # the settlement of `same` has it remembered again
    pipeline.host.wait_empty()
    assert shop.written() == {first.key: 1}
    shop.assert_exact()


def test_a_key_posted_twenty_times_at_once_is_one_sale(pipeline: Pipeline) -> None:
    shop = open_shop()
    till = pipeline.till(shop)
    key = uuid4()

    with ThreadPoolExecutor(20) as threads:
        sold = list(threads.map(lambda _: till.sell([(shop.products[0], 3)], key=key), range(20)))

    assert_created(sold)
    assert len({(one.reply.body["total"], one.reply.body["fecha"]) for one in sold}) == 1
    shop.settle_down(ventas=1)
    pipeline.host.wait_empty()
    shop.settle_down(ventas=1)
    assert shop.written() == {key: 1}
    assert shop.sold() == 3_000
    assert not shop.fallidas()
    shop.assert_exact()
