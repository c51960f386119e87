"""Workers killed in the middle of their work."""

from pathlib import Path

import pytest

from scripts.processes import PYTHON
from tests.pipeline import crashing
from tests.pipeline.processes import Pipeline
from tests.pipeline.rabbit import FAILED
from tests.pipeline.shop import open_shop
from tests.pipeline.till import assert_created
from tests.polling import wait_until
from tests.spawning import WORKER_READY, Process, Spawner

DEATHS = ("child-1", "child-2", "worker-3")


def crashing_worker(spawn: Spawner, environment: dict[str, str]) -> Process:
    """A worker with two children that dies as tests/pipeline/crashing.py says, and never has many sales in hand."""
    command = [PYTHON, "-m", "celery", "--app=tests.pipeline.crashing", "worker", "--loglevel=INFO"]
    options = ["--queues=queue.sales.created", "--concurrency=2", "--prefetch-multiplier=2", "--hostname=mortal@%h"]
    return spawn([*command, *options], ready=WORKER_READY, environment=environment)


@pytest.mark.parametrize("point", [crashing.BEFORE_COMMIT, crashing.BEFORE_SETTLE, crashing.BEFORE_ACK])
def test_a_worker_killed(point: str, pipeline: Pipeline, spawn: Spawner, tmp_path: Path) -> None:
    shop = open_shop(products=4, stock=200, terminals=2)
    deaths = tmp_path / "deaths"
    deaths.mkdir()
    for name in DEATHS:
        (deaths / name).touch()
    with pipeline.worker_aside():
        carts = [[(shop.products[n % 4], 1), (shop.products[(n + 1) % 4], 0.5)] for n in range(50)]
        sold = [
            one for terminal in range(2) for one in pipeline.till(shop, terminal=terminal).sell_many(carts, at_once=16)
        ]
        assert_created(sold)
        mortal = crashing_worker(spawn, {"CRASH_POINT": point, "CRASHES": str(deaths)})
        wait_until(lambda: not mortal.running, timeout_s=40, what="the worker is dead")
        assert not list(deaths.iterdir())  # every death was died, the last one by the whole worker
        assert len(shop.holds()) > 0
        committed = len(shop.written())
        assert committed < 100

    shop.settle_down(ventas=100)

    assert shop.written() == {one.key: 1 for one in sold}
    assert shop.sold() == 150_000
    shop.assert_exact()
    assert not shop.fallidas()
    pipeline.host.wait_empty()
    assert pipeline.host.ready(FAILED) == 0


def test_a_worker_stopped_in_good_order_loses_and_repeats_nothing(pipeline: Pipeline) -> None:
    shop = open_shop(products=4, stock=200)
    carts = [[(shop.products[n % 4], 1)] for n in range(60)]
    with pipeline.worker_aside():
        sold = pipeline.till(shop).sell_many(carts, at_once=2)
    pipeline.worker.stop()

    pipeline.start()
    shop.settle_down(ventas=60)

    assert shop.written() == {one.key: 1 for one in sold}
    shop.assert_exact()
    assert not shop.fallidas()
