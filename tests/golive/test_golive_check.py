"""manage.py golive_check on a running shop: green as it is; red, with the right advice, for each thing broken."""

import os
import subprocess
import time
from datetime import timedelta

import pytest

from blend_pos.tiendas.models import SONDA_ID
from scripts import processes
from scripts.ports import free_port
from tests.golive.breaking import Break, redis_setting, rows, stopped, warmed
from tests.golive.open_shop import OpenShop
from tests.polling import wait_until
from ventas import topology
from ventas.golive.rabbitmq import MOST_WAITING

SALES = topology.SALES_QUEUE.name
ADVICES_HERE = {
    "redis.maxmemory",  # none is set here
    "backup.daily",
    "settings.allowed_hosts",
    "settings.tls",
    "settings.metrics_token",
    "monitoring.prometheus",
    "monitoring.grafana",
    "selling.p95",  # nothing was sold over HTTP yet
    "selling.hit_rate",
    "selling.drift",
}
LONG_AGO_MS = int(timedelta(hours=25).total_seconds() * 1000)

pytestmark = pytest.mark.timeout(300)


def test_a_shop_that_is_as_it_should_be_is_green(open_shop: OpenShop) -> None:
    found = open_shop.check()

    assert found.failed == set(), found.text
    assert found.status == 0
    assert found.advices <= ADVICES_HERE
    assert {"sale.taken", "sale.written", "sale.ledger"} <= found.lines.keys()
    assert "ms" in found.said("sale.written")


def test_what_it_says_is_spanish_and_english(open_shop: OpenShop) -> None:
    spanish = open_shop.manage("golive_check", "--no-sale", f"--web-url={open_shop.web.url}")
    english = open_shop.manage("golive_check", "--no-sale", f"--web-url={open_shop.web.url}", "--idioma=en")

    assert spanish.returncode == english.returncode == 0, spanish.stdout
    assert "bien  Workers conectados: 1 de 1" in spanish.stdout
    assert "0 fallas" in spanish.stdout
    assert "fine  Workers connected: 1 of 1" in english.stdout
    assert "0 failed" in english.stdout


def test_who_reads_no_further_gets_no_traceback(open_shop: OpenShop) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        processes.manage("golive_check", "--no-sale", f"--web-url={open_shop.web.url}"),
        env=open_shop.environment,
        cwd=processes.ROOT,
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=90,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, "BrokenPipe" in done.stderr) == (0, False), done.stderr


A_CLOCK_AHEAD = """
CREATE SCHEMA ahead;
CREATE FUNCTION ahead.clock_timestamp() RETURNS timestamptz LANGUAGE sql
    AS $$ SELECT pg_catalog.clock_timestamp() + interval '95 seconds' $$;
ALTER DATABASE blend_pos SET search_path = ahead, pg_catalog, public;
"""
THE_CLOCK_AGAIN = "ALTER DATABASE blend_pos RESET search_path; DROP SCHEMA ahead CASCADE;"
SENT = "UPDATE django_celery_beat_periodictask SET last_run_at = now() - interval '{} minutes'"
WARMING = "UPDATE django_celery_beat_periodictask SET enabled = {} WHERE task = 'cache_stock.warm_due'"
ACTIVE = f"UPDATE tiendas SET is_active = {{}} WHERE id <> '{SONDA_ID}'"

BROKEN: dict[str, tuple[Break, str, str, str]] = {
    "AOF off": (redis_setting("appendonly", "no"), "redis.aof", "apagado", "appendonly yes"),
    "AOF never on disk": (redis_setting("appendfsync", "no"), "redis.aof", "appendfsync no", "everysec"),
    "eviction": (redis_setting("maxmemory-policy", "allkeys-lru"), "redis.eviction", "allkeys-lru", "noeviction"),
    "no worker": (stopped("worker"), "rabbitmq.workers", "0 de 1", "Arranca"),
    "no maintenance": (stopped("maintenance"), "rabbitmq.maintenance", "0 de 1", "Arranca mantenimiento"),
    "never warmed": (warmed(None), "stock.warm", "Tienda Centro", "warmup_stock --all"),
    "beat is silent": (rows(SENT.format(11), SENT.format(0)), "beat.sent", "no desde", "Arranca beat"),
    "nobody warms": (rows(WARMING.format(False), WARMING.format(True)), "beat.schedule", "warm_due", "admin"),
    "a clock ahead": (rows(A_CLOCK_AHEAD, THE_CLOCK_AGAIN), "clock.postgresql", "adelantado 9", "timedatectl"),
    "no tienda": (
        rows(ACTIVE.format(False), ACTIVE.format(True)),
        *("stock.tiendas", "ninguna", "/admin/"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_one_thing_broken_is_one_line_with_what_to_do(open_shop: OpenShop, what: str) -> None:
    breaking, key, seen, todo = BROKEN[what]
    with breaking(open_shop):
        found = open_shop.check("--no-sale")

    assert found.status == 1
    assert key in found.failed
    assert seen in found.lines[key]["seen"]
    assert todo in found.lines[key]["todo"]
    assert found.failed == {key}, found.text


def test_an_old_warmup_is_not_young(open_shop: OpenShop) -> None:
    with warmed(str(int(time.time() * 1000) - LONG_AGO_MS))(open_shop):
        found = open_shop.check("--no-sale")

    assert found.failed == {"stock.warm"}
    assert "más de 24 h: Tienda Centro" in found.said("stock.warm")


def test_a_copy_that_was_interrupted_leaves_its_mark(open_shop: OpenShop) -> None:
    with redis_setting("auto-aof-rewrite-percentage", "0")(open_shop):
        found = open_shop.check("--no-sale")

    assert found.failed == set()
    assert found.lines["redis.aof"]["state"] == "advice"
    assert "auto-aof-rewrite-percentage 100" in found.said("redis.aof")


def test_what_it_advises_about_drift_is_enough(open_shop: OpenShop) -> None:
    """The command runs in a process of its own, which counts nowhere."""
    open_shop.redis.hdel(open_shop.meta(), "diferencias")
    wait_until(
        lambda: "selling.drift" in open_shop.check("--no-sale").advices, timeout_s=30, what="nobody has reconciled"
    )
    done = open_shop.manage("reconcile_stock", "--all")
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until(
        lambda: open_shop.check("--no-sale").lines["selling.drift"]["state"] == "ok", timeout_s=30, what="web shows it"
    )


AWAY = {
    "PostgreSQL": ("DATABASE_URL", "postgres://blend:{}@127.0.0.1:{}/blend", ("postgresql.", "stock.", "beat.")),
    "Redis": ("REDIS_URL", "redis://:{}@127.0.0.1:{}/0", ("redis.", "stock.", "clock.redis")),
    "RabbitMQ": ("RABBITMQ_URL", "amqp://blend:{}@127.0.0.1:{}/blend", ("rabbitmq.",)),
}


@pytest.mark.parametrize("server", AWAY)
def test_a_server_that_is_away_fails_its_lines_and_no_other(open_shop: OpenShop, server: str) -> None:
    name, url, own = AWAY[server]
    start = time.monotonic()
    found = open_shop.check(environment={name: url.format("x" * 20, free_port())})

    assert time.monotonic() - start < 40
    assert found.failed & {key for key in found.lines if not key.startswith((*own, "clock.", "sale."))} == set(), (
        found.text
    )
    of_two = {"stock.tiendas", "stock.armed", "stock.warm", "redis.cache"}  # lines that ask another server as well
    expected = {key for key in found.lines if key.startswith(own)} - of_two
    assert expected <= found.failed
    assert ("sale.taken" in found.failed) is (server != "RabbitMQ")  # which web sends it to
    assert all(found.lines[key]["todo"] for key in found.failed)
    assert server in found.said(min(expected))


def test_a_postgresql_that_hangs_is_given_up(open_shop: OpenShop) -> None:
    open_shop.postgres.freeze()
    start = time.monotonic()
    try:
        found = open_shop.check()
    finally:
        open_shop.postgres.thaw()

    assert time.monotonic() - start < 60
    assert {"postgresql.migrations", "postgresql.durable", "stock.tiendas", "sale.taken"} <= found.failed
    assert {"redis.aof", "rabbitmq.workers"}.isdisjoint(found.failed)
    wait_until(lambda: open_shop.check().status == 0, timeout_s=90, what="the shop is green again")


def test_without_a_worker_the_sale_is_taken_and_not_written(open_shop: OpenShop) -> None:
    with stopped("worker")(open_shop):
        found = open_shop.check()

    assert found.failed == {"rabbitmq.workers", "sale.written", "sale.ledger"}
    assert "RESERVADA" in found.said("sale.written")
    wait_until(lambda: open_shop.check().status == 0, timeout_s=60, what="the shop is green again")


def test_a_long_queue_is_said(open_shop: OpenShop) -> None:
    with stopped("worker")(open_shop):
        open_shop.host.publish_all([(b"{}", {})] * MOST_WAITING)
        found = open_shop.check("--no-sale")
        wait_until(  # what /metrics says is some seconds old
            lambda: "selling.queue" in open_shop.check("--no-sale").failed, timeout_s=30, what="/metrics says it, too"
        )
        with open_shop.host.channel() as channel:
            channel.queue_purge(SALES)

    assert found.failed >= {"rabbitmq.depth", "rabbitmq.workers"}
    assert "La cola es larga" in found.said("rabbitmq.depth")


def test_web_that_is_not_there_is_said(open_shop: OpenShop) -> None:
    found = open_shop.check("--no-sale", f"--web-url=http://127.0.0.1:{free_port()}")

    assert {"web.checkout", "web.metrics", "selling.p95"} <= found.failed
    assert "--web-url" in found.said("web.checkout")
