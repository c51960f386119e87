"""What is known of a command that was not answered normally: it ran, it did not, or nobody can say."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from cache_stock import scripts
from cache_stock.connection import StockConnection
from cache_stock.reservation import HeldProduct, Hold, format_lines, parse_lines
from cache_stock.scripts import ReplyLost, StockRefused
from scripts.ports import free_port
from scripts.redis_server import Redis as Server
from tests.lua.stocked import StockedTienda
from tests.polling import wait_until

REPLY_S = 0.3
LOAD_DELAY_US = 20_000  # a key


def impatient(url: str) -> "redis.Redis":
    """A client with the stock alias' connection, its deadlines and no second attempt."""
    pool = redis.ConnectionPool.from_url(
        url,
        connection_class=StockConnection,
        decode_responses=True,
        protocol=2,
        socket_timeout=REPLY_S,
        socket_connect_timeout=REPLY_S,
        retry=Retry(NoBackoff(), 0),
    )
    return redis.Redis(connection_pool=pool)


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], "redis.Redis"]]:
    """Send the commands of cache_stock to that address."""
    clients = []

    def use_url(url: str) -> "redis.Redis":
        clients.append(impatient(url))
        monkeypatch.setattr(scripts, "stock_client", lambda: clients[-1])
        return clients[-1]

    yield use_url
    for client in clients:
        client.connection_pool.disconnect()


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """Its connections stay open and nothing answers."""
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


def test_a_server_that_is_not_there_has_not_run_it(use: Callable[[str], "redis.Redis"]) -> None:
    tienda = StockedTienda(use(f"redis://127.0.0.1:{free_port()}/0"))

    with pytest.raises(StockRefused):
        tienda.reserve({uuid4(): 1})


def test_a_reserve_whose_reply_is_lost_may_hold_all_the_same(
    own_server: Server, use: Callable[[str], "redis.Redis"]
) -> None:
    tienda = StockedTienda(use(own_server.url))
    tienda.arm()
    bread, venta_id = tienda.product(saldo=5000), uuid4()
    assert tienda.release(tienda.held({bread: 1000}))  # the server knows the script

    with frozen(own_server), pytest.raises(ReplyLost):
        tienda.reserve({bread: 1000}, venta_id=venta_id)

    wait_until(lambda: tienda.hold(venta_id), timeout_s=10, what="the command that was sent runs after all")
    assert tienda.reservado(bread) == [1000]
    again = tienda.reserve({bread: 1000}, venta_id=venta_id)
    assert isinstance(again, Hold)
    assert not again.created
    assert tienda.reservado(bread) == [1000]


def test_no_new_connection_to_a_frozen_server_means_that_nothing_was_sent(
    own_server: Server, use: Callable[[str], "redis.Redis"]
) -> None:
    tienda = StockedTienda(use(own_server.url))
    tienda.arm()
    bread, venta_id = tienda.product(saldo=5000), uuid4()
    StockedTienda(use(own_server.url))  # nothing is connected yet

    with frozen(own_server), pytest.raises(StockRefused):
        tienda.reserve({bread: 1000}, venta_id=venta_id)

    assert tienda.hold(venta_id) == {}
    assert tienda.reservado(bread) == [0]


def test_a_connection_that_was_closed_while_idle_is_replaced(
    own_server: Server, use: Callable[[str], "redis.Redis"]
) -> None:
    tienda = StockedTienda(use(own_server.url))
    tienda.arm()
    bread = tienda.product(saldo=5000)
    with redis.Redis.from_url(own_server.url) as other:
        assert other.client_kill_filter(_type="normal", skipme=True) > 0

    tienda.held({bread: 1000})

    assert tienda.reservado(bread) == [1000]


def test_a_server_that_loads_its_data_has_not_run_it(
    own_redis: "redis.Redis", own_server: Server, use: Callable[[str], "redis.Redis"]
) -> None:
    for number in range(100):
        own_redis.set(f"key-{number}", os.urandom(2048).hex())
    own_redis.config_set("loading-process-events-interval-bytes", 1024)
    own_redis.config_set("key-load-delay", LOAD_DELAY_US)
    tienda = StockedTienda(use(own_server.url))
    tienda.arm()
    reload = threading.Thread(target=own_redis.execute_command, args=("DEBUG", "RELOAD"))
    reload.start()

    try:
        wait_until(lambda: is_loading(tienda.client), timeout_s=10, what="the server is loading")
        with pytest.raises(StockRefused, match="loading"):
            tienda.reserve({uuid4(): 1})
    finally:
        reload.join()
        own_redis.config_set("key-load-delay", 0)


def is_loading(client: "redis.Redis") -> bool:
    try:
        client.ping()
    except redis.BusyLoadingError:
        return True
    except redis.TimeoutError:  # it saves first
        return False
    return False


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_lines_of_a_hold_are_read_as_they_were_written(count: int) -> None:
    products = tuple(HeldProduct(uuid4(), 10**14 - 1 - n, n, 10_000, 10**15) for n in range(count))

    assert parse_lines(format_lines(products)) == products
