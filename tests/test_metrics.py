"""/metrics: what all processes of a machine counted together, for those whom it concerns."""

import re
from pathlib import Path

import pytest
import urllib3
from django.test import Client, override_settings

from tests.conftest import SERVICES
from tests.pipeline.rabbit import default_host
from tests.pipeline.shop import open_shop
from tests.pipeline.till import Till
from tests.polling import wait_until
from tests.spawning import Spawner

TOKEN = "of-prometheus"


def value_of(page: str, name: str) -> float | None:
    found = re.search(rf"^{re.escape(name)} (\S+)$", page, re.MULTILINE)
    return float(found.group(1)) if found else None


def test_the_workers_sales_are_seen_at_the_web_server(live_db: None, spawn: Spawner, tmp_path: Path) -> None:
    folder = tmp_path / "metrics"
    folder.mkdir()
    shared = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    default_host(SERVICES.rabbit).purge()
    shop = open_shop()
    web, worker = spawn.web(workers=2, environment=shared), spawn.worker(concurrency=2, environment=shared)
    for process in (web, worker):
        process.wait_ready()

    def page() -> str:
        return urllib3.request("GET", f"{web.url}/metrics").data.decode()

    carts = [[(shop.products[0], 1)]] * 20
    assert {one.status for one in Till(web.url, shop.token).sell_many(carts, at_once=2)} == {201}
    wait_until(
        lambda: (value_of(page(), "sales_processed_total") or 0) >= 20, timeout_s=30, what="20 sales are counted"
    )

    shown = page()
    assert value_of(shown, "sales_processed_total") == 20
    assert value_of(shown, "sale_processing_seconds_count") == 20
    assert value_of(shown, 'sale_processing_seconds_bucket{le="30.0"}') == 20
    assert 0 < (value_of(shown, "sale_processing_seconds_sum") or 0) < 20 * 10
    assert len(shop.ventas()) == 20


def status(**headers: str) -> int:
    address = headers.pop("REMOTE_ADDR", "127.0.0.1")
    return Client(headers=headers).get("/metrics", REMOTE_ADDR=address).status_code


def test_without_a_token_only_this_machine_may_read_it() -> None:
    assert status() == 200
    assert status(REMOTE_ADDR="::1") == 200
    assert status(REMOTE_ADDR="10.0.0.7") == 404
    assert status(REMOTE_ADDR="") == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_a_proxy_on_this_machine_is_not_this_machine(header: str) -> None:
    assert status(**{header: "127.0.0.1"}) == 404


@override_settings(METRICS_TOKEN=TOKEN)
def test_with_a_token_whoever_has_it_may_and_nobody_else() -> None:
    assert status(Authorization=f"Bearer {TOKEN}", REMOTE_ADDR="10.0.0.7") == 200
    assert status(Authorization="Bearer of-another", REMOTE_ADDR="10.0.0.7") == 404
    assert status(Authorization=f"Bearer {TOKEN}ñ") == 404
    assert status() == 404


def test_it_is_read_only() -> None:
    assert Client().post("/metrics").status_code == 405
