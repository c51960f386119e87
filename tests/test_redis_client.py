"""The client that sends each command once."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from blend_pos.redis_client import OnceClient, PlainPool
from scripts.ports import free_port
from tests.conftest import SERVICES

pytestmark = pytest.mark.usefixtures("live_db")
NOW = "(function() local t = redis.call('TIME') return t[1] * 1000 + math.floor(t[2] / 1000) end)()"


@pytest.fixture
def client() -> Iterator[OnceClient]:
    made = OnceClient(connection_pool=PlainPool.from_url(SERVICES.redis.url, retry=Retry(NoBackoff(), 0), protocol=2))
    yield made
    made.connection_pool.disconnect()


@pytest.fixture
def key(client: Redis) -> Iterator[str]:
    name = f"test:{uuid4().hex}"
    yield name
    client.delete(name)


def own_id(client: Redis) -> int:
    return client.client_id()


def test_one_connection_serves_one_command_after_the_other(client: OnceClient, key: str) -> None:
    first = own_id(client)
    assert client.set(key, "1")
    with pytest.raises(ResponseError):
        client.hget(key, "field")
    assert own_id(client) == first


def test_a_connection_that_the_server_closed_is_opened_again(client: OnceClient) -> None:
    first = own_id(client)
    with Redis.from_url(SERVICES.redis.url) as other:
        other.client_kill_filter(_id=str(first))
    assert own_id(client) != first


def test_what_is_not_answered_is_not_sent_again(key: str) -> None:
    settings = {"retry": Retry(NoBackoff(), 0), "protocol": 2, "socket_timeout": 1}
    client = OnceClient(connection_pool=PlainPool.from_url(SERVICES.redis.url, **settings))
    slow = f"redis.call('INCR', KEYS[1]) local until_ms = 1500 + ({NOW}) while ({NOW}) < until_ms do end return 1"
    with pytest.raises(RedisTimeoutError):
        client.eval(slow, 1, key)
    with Redis.from_url(SERVICES.redis.url) as other:
        assert other.get(key) == b"1"
    assert client.get(key) == b"1"  # by another connection: the late reply is nobody's answer
    client.connection_pool.disconnect()


def test_where_nobody_listens_the_connection_is_given_back() -> None:
    pool = PlainPool(host="127.0.0.1", port=free_port(), retry=Retry(NoBackoff(), 0), max_connections=1)
    client = OnceClient(connection_pool=pool)
    for _time in range(2):
        with pytest.raises(RedisConnectionError, match="refused"):
            client.ping()
