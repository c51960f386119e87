"""The sale that `make run` shows: what it waits for."""

from contextlib import ExitStack

import pytest

from scripts import passage
from tests.conftest import SERVICES
from tests.pipeline.rabbit import SALES, VirtualHost


def test_it_waits_for_a_worker_also_before_the_queue_is_there() -> None:
    assert passage.QUEUE == SALES
    host = VirtualHost(rabbit=SERVICES.rabbit, name="passage")
    host.create()
    with ExitStack() as ending:
        ending.callback(host.delete)
        with pytest.raises(passage.PassageFailedError, match="no worker takes from"):
            passage.wait_for_a_worker(host.url, patience_s=0.4)
        host.declare()
        with pytest.raises(passage.PassageFailedError):
            passage.wait_for_a_worker(host.url, patience_s=0.4)
        channel = ending.enter_context(host.channel())
        channel.basic_consume(SALES)
        passage.wait_for_a_worker(host.url, patience_s=0.4)


def test_where_redis_is_the_broker_it_does_not_wait() -> None:
    passage.wait_for_a_worker("redis://127.0.0.1:9/2", patience_s=0)
