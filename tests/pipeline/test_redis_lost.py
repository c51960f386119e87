"""Redis flushed, emptied, killed or back with an older copy, with sales in flight: nothing is lost or oversold."""

import shutil
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from uuid import UUID

import pytest
from django.db.models import F

from blend_pos.tiendas.models import Tienda
from cache_stock import keys, scripts
from scripts.services import Services
from tests.pipeline.processes import Pipeline
from tests.pipeline.rabbit import FAILED
from tests.pipeline.shop import Shop, open_shop
from tests.pipeline.till import Sold, Till, assert_created, assert_in_time, by_status, wait_for_answers
from tests.pipeline.truth import assert_true_answers
from tests.polling import poll, wait_until
from tests.spawning import Spawner
from ventas import broker, cold_start, tasks
from ventas.models import MotivoFalla

NOT_TAKEN = {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_REQUEST}
COLD_START_S = 60


def arm(shop: Shop, pipeline: Pipeline) -> None:
    """Have maintenance look, every two seconds as beat does, until the tienda is armed."""

    def armed() -> bool:
        pipeline.host.run(tasks.cold_start_if_needed)
        return poll(shop.is_armed, timeout_s=2)

    wait_until(armed, timeout_s=COLD_START_S, what="the tienda is armed")


def assert_nothing_oversold(shop: Shop, sold: list[Sold]) -> None:
    """Promised is written; not taken is not; unknown may be either; never more than there was.

    A sale that was held by what was lost, and not promised, may have become a VentaFallida of an older epoch.
    """
    assert_in_time(sold)
    answered = by_status(sold)
    assert answered.keys() <= {HTTPStatus.CREATED, HTTPStatus.ACCEPTED, *NOT_TAKEN}
    written = shop.written()
    assert set(written.values()) == {1}
    assert set(answered[HTTPStatus.CREATED]) <= written.keys()
    for status in NOT_TAKEN:
        assert not set(answered.get(status, [])) & written.keys()
    assert shop.sold() == 1000 * len(written)
    assert {failed.motivo for failed in shop.fallidas()} <= {MotivoFalla.EPOCA}
    shop.assert_exact()


def test_an_old_master_that_is_back_is_disarmed_by_its_first_sale(pipeline: Pipeline) -> None:
    """Another one was in its place, and armed: PostgreSQL's epoch is a later one, and beat has not looked yet."""
    shop = open_shop()
    Tienda.objects.filter(pk=shop.tienda_id).update(epoch=F("epoch") + 1)

    sold = pipeline.till(shop).sell([(shop.products[0], 1)])

    assert sold.status == HTTPStatus.CREATED
    wait_until(lambda: not shop.is_armed(), timeout_s=10, what="it is disarmed")
    assert [(failed.venta_id, failed.motivo) for failed in shop.fallidas()] == [(sold.key, MotivoFalla.EPOCA)]
    arm(shop, pipeline)
    shop.assert_exact()


def test_flushed_in_mid_sale_and_warmed(pipeline: Pipeline) -> None:
    shop = open_shop(stock=5000)
    till, manager = pipeline.till(shop), pipeline.till(shop, rol="encargado")
    with till.selling([[(producto, 1)] for producto in shop.products]) as sold:
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED)
        flushed = manager.call("DELETE", "cache/flush")
        wait_for_answers(sold, 4, status=HTTPStatus.SERVICE_UNAVAILABLE)
        warmed = manager.call("POST", "cache/warmup")
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED)

    assert (flushed.status, flushed.body["keys_eliminadas"]) == (HTTPStatus.OK, 3)
    assert (warmed.status, warmed.body["productos_cacheados"]) == (HTTPStatus.OK, 3)
    refused = [one.reply.body["codigo"] for one in sold if one.status == HTTPStatus.SERVICE_UNAVAILABLE]
    assert set(refused) == {"cache_frio"}
    shop.come_to_rest(pipeline.host)
    assert_true_answers(shop, till, sold)


def test_a_cold_tienda_is_warmed_by_the_sale_that_found_it_so(pipeline: Pipeline) -> None:
    shop = open_shop()
    till = pipeline.till(shop)
    assert pipeline.till(shop, rol="encargado").call("DELETE", "cache/flush").status == HTTPStatus.OK

    refused = till.sell([(shop.products[0], 1)])
    assert (refused.status, refused.reply.body["codigo"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "cache_frio")
    pipeline.host.run(tasks.sweep)

    def sold() -> bool:
        return till.sell([(shop.products[0], 1)], key=refused.key).status == HTTPStatus.CREATED

    wait_until(sold, timeout_s=5, what="the retry works")
    shop.settle_down(ventas=1)
    assert shop.written() == {refused.key: 1}
    shop.assert_exact()


def empty_it(services: Services, _copy: Path) -> None:
    scripts.stock_client().flushall()


def kill_it(services: Services, _copy: Path) -> None:
    services.redis.kill()
    services.redis.start()


def put_an_older_copy(services: Services, copy: Path) -> None:
    services.redis.kill()
    shutil.rmtree(services.redis.data)
    shutil.copytree(copy, services.redis.data)
    services.redis.start()


@pytest.mark.parametrize("lose", [empty_it, kill_it, put_an_older_copy])
def test_redis_lost_in_mid_sale(
    lose: Callable[[Services, Path], None], pipeline: Pipeline, services: Services, tmp_path: Path
) -> None:
    """Few units of many products, so that an oversale would show; and one sale that waits in the queue meanwhile."""
    shop = open_shop(products=8, stock=12)
    till = pipeline.till(shop)
    carts = [[(producto, 1)] for producto in shop.products]
    before = till.sell_many((carts * 4)[:30])
    assert_created(before)
    shutil.copytree(services.redis.data, tmp_path / "older")
    with till.selling(carts) as sold:
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED)
        lose(services, tmp_path / "older")
        wait_for_answers(sold, 10, status=HTTPStatus.SERVICE_UNAVAILABLE)
        arm(shop, pipeline)
        wait_for_answers(sold, 10)
    sold = [*before, *sold]
    first = before[0]
    again = till.sell(carts[shop.products.index(_product_of(shop, first))], key=first.key)

    assert again.status == HTTPStatus.CREATED  # the key of a sale that Redis had forgotten is still that one sale
    assert again.reply.body["estado"] == "PERSISTIDA"
    shop.come_to_rest(pipeline.host)
    assert_nothing_oversold(shop, sold)
    assert pipeline.host.ready(FAILED) == 0


def _product_of(shop: Shop, sold: Sold) -> UUID:
    (venta,) = [venta for venta in shop.ventas() if venta.venta_id == sold.key]
    (line,) = venta.detalles.all()
    return line.producto_id


def test_emptied_with_sales_in_the_queue_and_armed_by_beat(pipeline: Pipeline, spawn: Spawner) -> None:
    """What was promised before is written before anything is sold anew."""
    shop = open_shop(products=1, stock=10)
    till: Till = pipeline.till(shop)
    with pipeline.worker_aside():
        before = till.sell_many([[(shop.products[0], 1)]] * 6, at_once=3)
        assert by_status(before).keys() == {HTTPStatus.CREATED}
        scripts.stock_client().flushall()
        spawn.beat()
        refused = till.sell([(shop.products[0], 1)])
        assert (refused.status, refused.reply.body["codigo"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "arranque_en_frio")
        assert not shop.is_armed()
    wait_until(shop.is_armed, timeout_s=COLD_START_S, what="beat has the tienda armed")

    after = till.sell_many([[(shop.products[0], 1)]] * 6, at_once=3)

    answered = by_status(after)
    assert (len(answered[HTTPStatus.CREATED]), len(answered[HTTPStatus.BAD_REQUEST])) == (4, 2)
    shop.settle_down(ventas=10)
    assert shop.written().keys() == {one.key for one in before} | set(answered[HTTPStatus.CREATED])
    assert shop.stock() == {shop.products[0]: 0}
    shop.assert_exact()


@pytest.mark.timeout(300)
def test_one_tienda_is_armed_again_while_another_sells_on(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one's sales keep the queue from ever being empty: it stops for as long as that takes."""
    monkeypatch.setattr(cold_start, "OTHERS_SELL_ON_S", 1.0)
    broken, other = open_shop(stock=5000), open_shop(stock=5000)
    till = pipeline.till(other)
    scripts.delete(key=keys.stock(broken.tienda_id, broken.products[0]))
    with till.selling([[(producto, 1)] for producto in other.products]) as sold:
        refused = pipeline.till(broken).sell([(broken.products[0], 1)])
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED)

        def armed() -> bool:
            cold_start.run()
            return broken.is_armed() and other.is_armed()

        wait_until(armed, timeout_s=COLD_START_S, what="both are armed")
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED)

    assert (refused.status, refused.reply.body["codigo"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "arranque_en_frio")
    assert by_status(sold).keys() <= {HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.SERVICE_UNAVAILABLE}
    other.come_to_rest(pipeline.host)
    assert_nothing_oversold(other, sold)
    assert pipeline.till(broken).sell([(broken.products[0], 1)]).status == HTTPStatus.CREATED
    broken.settle_down(ventas=1)
    broken.assert_exact()


def test_nobody_else_stops_while_the_workers_are_behind(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cold_start, "OTHERS_SELL_ON_S", 1.0)
    monkeypatch.setattr(cold_start, "LONGEST_DRAIN_S", 1.0)
    monkeypatch.setattr(cold_start, "KEEPING_UP_MESSAGES", 0)
    broken, other = open_shop(), open_shop(stock=5000)
    with pipeline.worker_aside():
        assert pipeline.till(other).sell([(other.products[0], 1)]).status == HTTPStatus.CREATED
        scripts.delete_field(key=keys.meta(broken.tienda_id), field="run_id")
        wait_until(lambda: broker.unfinished_messages() > 0, timeout_s=15, what="the broker has counted it")
        assert cold_start.run() == []
        assert other.is_armed()
        assert not broken.is_armed()
    other.settle_down(ventas=1)
