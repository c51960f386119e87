"""PostgreSQL stopped, killed or frozen while sales come in: the shop sells on, the worker waits, all is written."""

import signal
from http import HTTPStatus

from django.db import connection, connections, transaction

from scripts.services import Services
from tests.pipeline.browser import signed_in
from tests.pipeline.processes import Pipeline
from tests.pipeline.rabbit import FAILED
from tests.pipeline.shop import open_shop
from tests.pipeline.till import assert_created, assert_in_time, by_status, wait_for_answers
from tests.pipeline.truth import assert_true_answers
from tests.polling import wait_until
from tests.spawning import Spawner


def test_sold_by_token_and_by_session_while_it_is_stopped(pipeline: Pipeline, services: Services) -> None:
    shop = open_shop()
    tills = [pipeline.till(shop), signed_in(shop, pipeline.web.url)]
    before = [till.sell([(shop.products[0], 1)]) for till in tills]  # who asks is known from now on
    shop.settle_down(ventas=2)

    services.postgres.stop()
    during = [one for till in tills for one in till.sell_many([[(shop.products[n % 3], 1)] for n in range(40)])]
    refused = tills[0].sell([(shop.products[0], 100_000)])  # before a refusal PostgreSQL has to be asked
    services.postgres.start()
    connections.close_all()  # this process had some, too

    assert_created([*before, *during])
    assert_in_time([*during, refused])
    assert (refused.status, refused.reply.body["codigo"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "base_no_disponible")
    shop.settle_down(ventas=82)
    assert shop.written() == {one.key: 1 for one in [*before, *during]}
    assert pipeline.host.ready(FAILED) == 0
    assert not shop.fallidas()
    shop.assert_exact()


def test_killed_in_the_middle_of_writing(pipeline: Pipeline, services: Services) -> None:
    shop = open_shop(stock=5000)
    till = pipeline.till(shop)
    with till.selling([[(producto, 1)] for producto in shop.products]) as sold:
        wait_for_answers(sold, 30, status=HTTPStatus.CREATED)
        services.postgres.kill()
        wait_for_answers(sold, 30, status=HTTPStatus.CREATED)
        services.postgres.start()
        connections.close_all()  # this process had some, too
        wait_for_answers(sold, 30, status=HTTPStatus.CREATED)

    assert by_status(sold).keys() == {HTTPStatus.CREATED}
    shop.come_to_rest(pipeline.host)
    assert_true_answers(shop, till, sold)
    assert pipeline.host.ready(FAILED) == 0
    assert not shop.fallidas()


def test_frozen(pipeline: Pipeline, services: Services) -> None:
    shop = open_shop(stock=5000)
    till = pipeline.till(shop)
    with till.selling([[(producto, 1)] for producto in shop.products]) as sold:
        wait_for_answers(sold, 10, status=HTTPStatus.CREATED)
        services.postgres.freeze()
        wait_for_answers(sold, 60, status=HTTPStatus.CREATED)
        services.postgres.thaw()

    assert by_status(sold).keys() == {HTTPStatus.CREATED}
    shop.come_to_rest(pipeline.host)
    assert_true_answers(shop, till, sold)
    assert not shop.fallidas()


def test_beat_ends_also_in_the_middle_of_a_query(pipeline: Pipeline, spawn: Spawner) -> None:
    """It writes how often each task ran once the query is over: a second one within the first would wait for ever."""
    beat = spawn.beat()
    # The first is written at once; the others, every three minutes and at the end.
    wait_until(lambda: beat.log_text.count("Sending due task") > 5, timeout_s=60, what="something to write at the end")
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%periodictask%'"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("LOCK TABLE django_celery_beat_periodictasks")

        def is_waiting() -> bool:
            # Within a transaction, what every session does is read once and kept; only whether it waits is read anew.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(waiting)
            return bool((cursor.fetchone() or (0,))[0])

        wait_until(is_waiting, timeout_s=30, what="beat's query waits")
        beat.send(signal.SIGTERM)
        wait_until(lambda: not is_waiting(), timeout_s=10, what="its query is given up")
    wait_until(lambda: not beat.running, timeout_s=15, what="beat has ended")
    assert beat.returncode == 0
    assert "Traceback" not in beat.log_text
