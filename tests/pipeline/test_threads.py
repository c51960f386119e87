"""The web server's threads, which come and go."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus

import pytest
from django.db import connection

from tests.pipeline.processes import Pipeline
from tests.pipeline.shop import open_shop
from tests.pipeline.till import Till
from tests.polling import wait_until
from tests.spawning import Web

NAME = "blend_threads"
THREADS = 8
IDLE_S = 5  # the least that granian takes


@pytest.fixture
def web(pipeline: Pipeline) -> Iterator[Web]:
    """A web server that soon ends a thread that has nothing to do."""
    idle = {"GRANIAN_BLOCKING_THREADS_IDLE_TIMEOUT": str(IDLE_S)}
    found = pipeline.spawn.web(blocking_threads=THREADS, environment={"PGAPPNAME": NAME, **idle})
    found.wait_ready()
    yield found
    found.kill()


def connections() -> int:
    """Those of the web server to PostgreSQL."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [NAME])
        (count,) = cursor.fetchone() or (0,)
    return int(count)


def test_a_connection_ends_with_its_thread(pipeline: Pipeline, web: Web) -> None:
    till = Till(web.url, open_shop().seats[0].tokens["cajero"], pool=pipeline.pool)

    def all_ask() -> bool:
        with ThreadPoolExecutor(THREADS) as people:
            assert {reply.status for reply in people.map(till.get, ["ventas"] * THREADS * 2)} == {HTTPStatus.OK}
        return connections() >= THREADS / 2

    wait_until(all_ask, timeout_s=20, what="half of the threads have a connection")
    wait_until(lambda: connections() <= 1, timeout_s=4 * IDLE_S, what="those of threads that ended are closed")
