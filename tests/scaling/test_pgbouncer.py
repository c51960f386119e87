"""Sales through pgbouncer in transaction mode: every statement of the product finds what it needs in a session that is
lent for one transaction."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, connections
from pytest_django.plugin import DjangoDbBlocker

from blend_pos.tiendas.models import Tienda
from cache_stock import scripts
from scripts.ports import free_port
from scripts.processes import ROOT
from tests.conftest import ENVIRONMENT, SERVICES
from tests.pipeline.processes import QUICK, Pipeline
from tests.pipeline.rabbit import VirtualHost
from tests.pipeline.shop import Shop, open_shop
from tests.pipeline.till import Sold, assert_created, wait_for_answers
from tests.pipeline.truth import assert_true_answers
from tests.polling import poll, wait_until
from tests.scaling.pooler import SESSIONS, Pgbouncer
from tests.spawning import Spawner
from ventas import reconcile, tasks

MARK = "blend_pooled"
ARMED_S = 60.0
# A cursor of Django's is read half, while another client has a transaction of its own: the session is lent to that.
HALF_READ = """
import django; django.setup()
from django.db import connection, connections, transaction
from blend_pos.tiendas.models import Tienda
rows = Tienda.objects.order_by("pk").iterator(chunk_size=1)
next(rows)
other = connections["default"].copy()
with other.cursor() as cursor:
    cursor.execute("BEGIN")
    cursor.execute("SELECT 1")
    print(len(list(rows)) + 1 == Tienda.objects.count())
    cursor.execute("COMMIT")
"""

# What DATABASE_POOLED leaves out, alone: the pooler would refuse it before anything is read.
WITHOUT_OPTIONS = """
from django.conf import settings
settings.DATABASES["default"]["OPTIONS"].pop("options")
"""


@pytest.fixture(scope="module")
def pooler(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pgbouncer]:
    with django_db_blocker.unblock():
        database = SERVICES.postgres.database_url(connection.settings_dict["NAME"])
    found = Pgbouncer(folder=tmp_path_factory.mktemp("pooler"), port=free_port(), database_url=database)
    found.start()
    yield found
    found.kill()


@pytest.fixture(scope="module")
def _behind_it(
    pooler: Pgbouncer, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Pipeline]:
    host = VirtualHost(SERVICES.rabbit, f"pooled-{uuid4().hex[:8]}")
    host.create()
    with django_db_blocker.unblock():
        Tienda.objects.update(is_active=False)
        connections.close_all()
    environment = {**os.environ, **ENVIRONMENT, **QUICK, "DATABASE_URL": pooler.url, "DATABASE_POOLED": "true"}
    environment |= {"RABBITMQ_URL": host.url, "PGAPPNAME": MARK}
    spawner = Spawner(folder=tmp_path_factory.mktemp("pooled"), environment=environment)
    yield Pipeline(host, spawner)
    spawner.end_all()
    host.delete()


@pytest.fixture
def pipeline(_behind_it: Pipeline, pooler: Pgbouncer, live_db: None) -> Iterator[Pipeline]:
    """The product's processes, none of which reaches PostgreSQL itself."""
    pooler.start()
    _behind_it.start()
    yield _behind_it
    pooler.start()


def sessions() -> int:
    """What PostgreSQL has of the product's processes, through the pooler or around it. The test's own has others: its
    threads keep theirs from earlier tests."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [MARK])
        (count,) = cursor.fetchone() or (0,)
    return int(count)


def assert_sound(shop: Shop, pipeline: Pipeline, sold: Sequence[Sold]) -> None:
    shop.come_to_rest(pipeline.host)
    assert_true_answers(shop, pipeline.till(shop), sold)
    assert reconcile.reconcile_tienda(tienda_id=shop.tienda_id, repair=False).differences == 0


def test_sales_through_few_sessions(pipeline: Pipeline) -> None:
    shop = open_shop(stock=2000)
    with pipeline.till(shop).selling([[(producto, 1)] for producto in shop.products], at_once=8) as sold:
        wait_for_answers(sold, 150)
        # The pooler may have opened a session while PostgreSQL still ended one; who went around it would keep its own.
        wait_until(lambda: 0 < sessions() <= SESSIONS, timeout_s=5, what="nobody has a session besides the pooler")
    assert_created(sold)
    assert_sound(shop, pipeline, sold)
    found = pipeline.till(shop).get("ventas")
    assert found.status == HTTPStatus.OK
    assert found.body["results"]


def test_a_cold_start_through_it(pipeline: Pipeline) -> None:
    """Advisory locks, a cursor inside a transaction, iterators outside one."""
    shop = open_shop()
    assert_created(first := pipeline.till(shop).sell_many([[(shop.products[0], 1)]] * 5))
    shop.settle_down(ventas=5)
    scripts.stock_client().flushall()

    def armed() -> bool:
        pipeline.host.run(tasks.cold_start_if_needed)
        return poll(shop.is_armed, timeout_s=2)

    wait_until(armed, timeout_s=ARMED_S, what="the tienda is armed")
    assert_created(later := pipeline.till(shop).sell_many([[(shop.products[0], 1)]] * 5))
    assert_sound(shop, pipeline, [*first, *later])


def test_it_is_killed_in_mid_sale(pipeline: Pipeline, pooler: Pgbouncer) -> None:
    """As where PostgreSQL is away: sales go on, and are written when it is back."""
    shop = open_shop(stock=2000)
    with pipeline.till(shop).selling([[(producto, 1)] for producto in shop.products]) as sold:
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED)
        pooler.kill()
        wait_for_answers(sold, 40, status=HTTPStatus.CREATED)
        pooler.start()
        wait_for_answers(sold, 20, status=HTTPStatus.CREATED)
    assert_sound(shop, pipeline, sold)


def test_what_a_session_has_of_its_own_is_there(pipeline: Pipeline, pooler: Pgbouncer) -> None:
    """The timeouts that no client can ask for here, and that it is refused where it does."""
    with psycopg.connect(pooler.url, prepare_threshold=None) as client:
        found = [
            client.execute(f"SHOW {name}").fetchone()
            for name in ("lock_timeout", "idle_in_transaction_session_timeout")
        ]
    assert found == [("15s",), ("10s",)]
    with pytest.raises(psycopg.OperationalError, match="unsupported startup parameter"):
        psycopg.connect(pooler.url, options="-c lock_timeout=15000")


@pytest.mark.parametrize(("pooled", "whole"), [("true", True), ("false", False)])
def test_a_half_read_list_outlives_its_session(pipeline: Pipeline, pooler: Pgbouncer, pooled: str, whole: bool) -> None:
    """With the cursors that Django uses by default it does not."""
    open_shop(products=1)
    open_shop(products=1)
    environment = {**os.environ, **ENVIRONMENT, "DATABASE_URL": pooler.url, "DATABASE_POOLED": pooled}
    code = HALF_READ if pooled == "true" else WITHOUT_OPTIONS + HALF_READ
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.stdout.strip() == "True") is whole, done.stderr
