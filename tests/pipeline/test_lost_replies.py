"""Requests of which nobody saw the end: a reply that Redis gave is lost, a web process dies with the stock held."""

import signal
import threading
from collections.abc import Iterator
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import pytest
import urllib3

from cache_stock import scripts
from scripts.services import Services
from tests.pipeline.messages import hold
from tests.pipeline.processes import QUICK, Pipeline
from tests.pipeline.proxy import Proxy, proxy_to
from tests.pipeline.rabbit import SALES
from tests.pipeline.shop import open_shop
from tests.pipeline.till import Till, assert_in_time
from tests.polling import wait_until
from tests.spawning import Spawner
from ventas import topology


@pytest.fixture
def proxy(services: Services) -> Iterator[Proxy]:
    with proxy_to(services.redis.port) as running:
        yield running


def behind(proxy: Proxy, services: Services, spawn: Spawner) -> str:
    """The address of a web process that reaches the stock's Redis through the proxy."""
    url = urlsplit(services.redis.url)
    stock = url._replace(netloc=url.netloc.replace(str(services.redis.port), str(proxy.port))).geturl()
    web = spawn.web(environment={**QUICK, "REDIS_URL": stock, "CACHE_URL": services.redis.database_url(1)})
    web.wait_ready()
    return web.url


def test_the_reply_to_reserve_is_lost(pipeline: Pipeline, proxy: Proxy, services: Services, spawn: Spawner) -> None:
    shop = open_shop()
    till = Till(behind(proxy, services, spawn), shop.token)
    first = till.sell([(shop.products[0], 1)])
    shop.settle_down(ventas=1)

    proxy.losing.set()
    lost = [till.sell([(shop.products[0], 2)]) for _ in range(3)]
    proxy.losing.clear()

    assert first.status == HTTPStatus.CREATED
    assert [one.status for one in lost] == [HTTPStatus.ACCEPTED] * 3
    assert_in_time(lost)
    assert {one.reply.body["total"] for one in lost} == {None}  # nobody knows the price it was held at
    assert shop.holds().keys() == {one.key for one in lost}
    assert till.follow(lost[0].key).body["estado"] == "RESERVADA"
    again = till.sell([(shop.products[0], 2)], key=lost[1].key)
    assert again.status == HTTPStatus.CREATED
    shop.come_to_rest(pipeline.host)
    assert shop.written() == {one.key: 1 for one in [first, *lost]}
    assert shop.sold() == 7_000
    shop.assert_exact()


def test_the_look_after_the_confirm_is_lost(
    pipeline: Pipeline, proxy: Proxy, services: Services, spawn: Spawner
) -> None:
    """Nobody knows whether Redis still holds it: no promise."""
    shop = open_shop()
    till = Till(behind(proxy, services, spawn), shop.token)
    assert till.sell([(shop.products[0], 1)]).status == HTTPStatus.CREATED

    proxy.marker = scripts.CHECK.sha.encode()
    proxy.losing.set()
    unseen = till.sell([(shop.products[0], 2)])
    proxy.losing.clear()

    assert proxy.lost
    assert (unseen.status, unseen.reply.body["total"]) == (HTTPStatus.ACCEPTED, 21.0)
    shop.come_to_rest(pipeline.host)
    assert shop.written()[unseen.key] == 1
    shop.assert_exact()


def test_the_reply_to_release_is_lost(pipeline: Pipeline, proxy: Proxy, services: Services, spawn: Spawner) -> None:
    """The queue did not take it, and nobody knows whether its stock is back: it is no refusal."""
    shop = open_shop()
    till = Till(behind(proxy, services, spawn), shop.token)
    assert till.sell([(shop.products[0], 1)]).status == HTTPStatus.CREATED
    shop.settle_down(ventas=1)
    with pipeline.host.channel() as channel:
        channel.queue_unbind(SALES, topology.SALES_EXCHANGE.name, topology.SALES_CREATED)

    proxy.marker = scripts.RELEASE.sha.encode()
    proxy.losing.set()
    unheard = till.sell([(shop.products[0], 2)])
    proxy.losing.clear()

    assert proxy.lost
    assert unheard.status == HTTPStatus.ACCEPTED
    with pipeline.host.channel() as channel:
        topology.declare(channel)
    assert till.sell([(shop.products[0], 2)], key=unheard.key).status == HTTPStatus.CREATED
    shop.settle_down(ventas=2)
    shop.assert_exact()


def test_redis_does_not_answer(pipeline: Pipeline, services: Services) -> None:
    """Frozen: nothing can be said of the sale, in time; thawed, what it had been asked comes true."""
    shop = open_shop()
    till = pipeline.till(shop)
    assert till.sell([(shop.products[0], 1)]).status == HTTPStatus.CREATED
    shop.settle_down(ventas=1)

    services.redis.freeze()
    unknown = till.sell_many([[(shop.products[0], 1)]] * 4, at_once=2)
    services.redis.thaw()

    assert_in_time(unknown)
    assert {one.status for one in unknown} <= {HTTPStatus.ACCEPTED, HTTPStatus.SERVICE_UNAVAILABLE}
    shop.come_to_rest(pipeline.host)
    assert len(shop.written()) <= 5
    assert not {one.key for one in unknown if one.status == HTTPStatus.SERVICE_UNAVAILABLE} & shop.written().keys()
    shop.assert_exact()


def test_redis_is_stopped(pipeline: Pipeline, services: Services) -> None:
    """Never reached, so nothing is held: 503. It comes back as another server: nothing sells before it is armed."""
    shop = open_shop()
    till = pipeline.till(shop)
    assert till.sell([(shop.products[0], 1)]).status == HTTPStatus.CREATED
    shop.settle_down(ventas=1)

    services.redis.stop()
    refused = till.sell_many([[(shop.products[0], 1)]] * 4, at_once=2)
    services.redis.start()
    unarmed = till.sell([(shop.products[0], 1)])

    assert_in_time([*refused, unarmed])
    assert {one.status for one in [*refused, unarmed]} == {HTTPStatus.SERVICE_UNAVAILABLE}
    assert unarmed.reply.body["codigo"] == "arranque_en_frio"
    assert len(shop.written()) == 1


def test_web_killed_between_hold_and_publish(pipeline: Pipeline, spawn: Spawner, services: Services) -> None:
    """The broker is frozen, so that sales are held and not yet published when the web process is killed."""
    shop = open_shop()
    web = spawn.web(blocking_threads=16, environment=QUICK)
    web.wait_ready()
    till = Till(web.url, shop.token)
    assert till.sell([(shop.products[0], 1)]).status == HTTPStatus.CREATED
    shop.settle_down(ventas=1)
    keys = [uuid4() for _ in range(8)]

    def post(key: UUID) -> None:
        with suppress(urllib3.exceptions.HTTPError):
            till.sell([(shop.products[1], 1)], key=key)

    services.rabbit.freeze()
    threads = [threading.Thread(target=post, args=(key,)) for key in keys]
    for thread in threads:
        thread.start()
    wait_until(shop.holds, timeout_s=5, what="some are held")
    web.kill()
    held = set(shop.holds())
    services.rabbit.thaw()
    for thread in threads:
        thread.join()

    shop.come_to_rest(pipeline.host)
    assert held
    assert {key for key in shop.written() if key in keys} == held
    assert set(shop.written().values()) == {1}
    shop.assert_exact()


def test_an_orphan_is_written_within_the_sweeps_period(pipeline: Pipeline, spawn: Spawner) -> None:
    """By beat's own schedule."""
    shop = open_shop()
    orphan = hold(shop, [(shop.products[0], 2_500)], sweep_after_ms=1_000)
    beat = spawn.beat().wait_ready()

    shop.settle_down(ventas=1, timeout_s=20)

    assert shop.written() == {UUID(orphan["venta_id"]): 1}
    (venta,) = shop.ventas()
    assert str(venta.total) == orphan["total"]
    shop.assert_exact()
    beat.send(signal.SIGTERM)
