"""/metrics: what all processes of a machine counted together, for those whom it concerns."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
import urllib3
from django.test import Client, override_settings

from blend_pos.tiendas.models import Tienda
from scripts.ports import LOOPBACK, free_port
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


@pytest.fixture
def shared(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "metrics"
    folder.mkdir()
    return {"PROMETHEUS_MULTIPROC_DIR": str(folder)}


def test_the_workers_sales_are_seen_at_the_web_server(live_db: None, spawn: Spawner, shared: dict[str, str]) -> None:
    default_host(SERVICES.rabbit).purge()
    shop = open_shop()
    web, worker = spawn.web(workers=2, environment=shared), spawn.worker(concurrency=2, environment=shared)
    for process in (web, worker):
        process.wait_ready()

    def page() -> str:
        return urllib3.request("GET", f"{web.url}/metrics").data.decode()

    till = Till(web.url, shop.token)
    assert {one.status for one in till.sell_many([[(shop.products[0], 1)]] * 20, at_once=2)} == {201}
    assert till.sell([(shop.products[0], 1_000_000)]).status == 400
    # The last thing that a worker counts of a batch.
    written = 'sale_attempts_total{outcome="written"}'
    wait_until(lambda: (value_of(page(), written) or 0) >= 20, timeout_s=30, what="20 sales are counted")

    shown = page()
    assert value_of(shown, "sales_processed_total") == 20
    assert value_of(shown, "sale_processing_seconds_count") == 20
    assert value_of(shown, 'sale_processing_seconds_bucket{le="30.0"}') == 20
    assert 0 < (value_of(shown, "sale_processing_seconds_sum") or 0) < 20 * 10
    assert value_of(shown, "sales_persist_batch_sales_sum") == 20
    assert value_of(shown, 'sale_attempts_total{outcome="written"}') == 20
    assert value_of(shown, 'stock_reservations_total{outcome="held"}') == 20
    assert value_of(shown, 'stock_reservations_total{outcome="insufficient"}') == 1
    assert value_of(shown, 'checkout_seconds_count{outcome="taken"}') == 20
    assert value_of(shown, 'checkout_seconds_count{outcome="refused"}') == 1
    assert value_of(shown, "sales_publish_batch_sales_sum") == 20
    assert value_of(shown, 'sales_publish_total{outcome="confirmed"}') == value_of(shown, "sales_publish_seconds_count")
    assert value_of(shown, 'part_up{part="redis"}') == 1
    assert (value_of(shown, 'sales_queue_consumers{queue="sales.created"}') or 0) > 0
    assert len(shop.ventas()) == 20


def test_lookups_are_counted_where_a_closed_tienda_takes_none_along(
    live_db: None, spawn: Spawner, shared: dict[str, str]
) -> None:
    default_host(SERVICES.rabbit).purge()
    shop = open_shop()
    web = spawn.web(environment=shared)
    web.wait_ready()
    till, (one, other) = Till(web.url, shop.token), shop.products[:2]
    key = uuid4()
    carts = [[(one, 1), (other, 1), (one, 2)], [(one, 1)], [(one, 1), (uuid4(), 1)], [(one, 1_000_000)]]
    assert [till.sell(cart).status for cart in carts] == [201, 201, 404, 400]
    assert [till.sell([(one, units)], key=key).status for units in (1, 1, 2)] == [201, 201, 422]  # then asked again
    Tienda.objects.filter(pk=shop.tienda_id).update(is_active=False)

    shown = urllib3.request("GET", f"{web.url}/metrics").data.decode()
    assert value_of(shown, "stock_lookup_hits_total") == 2 + 1 + 1 + 1 + 1
    assert value_of(shown, "stock_lookup_misses_total") == 1


def test_a_worker_shows_its_own_counts_where_it_is_told_to(
    live_db: None, spawn: Spawner, shared: dict[str, str]
) -> None:
    default_host(SERVICES.rabbit).purge()
    shop = open_shop()
    listen = f"{LOOPBACK}:{free_port()}"
    web, worker = spawn.web(workers=1), spawn.worker(environment={**shared, "METRICS_LISTEN": listen})
    for process in (web, worker):
        process.wait_ready()

    assert Till(web.url, shop.token).sell([(shop.products[0], 1)]).status == 201

    def shown() -> str:
        return urllib3.request("GET", f"http://{listen}/metrics").data.decode()

    wait_until(lambda: value_of(shown(), "sales_processed_total") == 1, timeout_s=30, what="the sale is counted")
    shop.settle_down(ventas=1)
    assert "part_up" not in shown()  # the state is the web server's to tell


@pytest.mark.parametrize(
    ("listen", "folder", "why"),
    [
        ("0.0.0.0:9100", False, "needs PROMETHEUS_MULTIPROC_DIR"),
        ("9100", True, "like 0.0.0.0:9100"),
        ("192.0.2.1:9100", True, "assign requested address"),
    ],
)
def test_a_worker_that_cannot_show_its_counts_says_why_and_does_not_start(
    *, spawn: Spawner, live_db: None, shared: dict[str, str], listen: str, folder: bool, why: str
) -> None:
    process = spawn.worker(environment={**(shared if folder else {}), "METRICS_LISTEN": listen})

    wait_until(lambda: not process.running, timeout_s=30, what="it has ended")

    assert process.returncode != 0
    assert why in process.log_text


def status(**headers: str) -> int:
    address = headers.pop("REMOTE_ADDR", "127.0.0.1")
    return Client(headers=headers).get("/metrics", REMOTE_ADDR=address).status_code


def test_without_a_token_only_this_machine_may_read_it(live_db: None) -> None:
    assert status() == 200
    assert status(REMOTE_ADDR="::1") == 200
    assert status(REMOTE_ADDR="10.0.0.7") == 404
    assert status(REMOTE_ADDR="") == 404


@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded"])
def test_a_proxy_on_this_machine_is_not_this_machine(header: str) -> None:
    assert status(**{header: "127.0.0.1"}) == 404


@override_settings(METRICS_TOKEN=TOKEN)
def test_with_a_token_whoever_has_it_may_and_nobody_else(live_db: None) -> None:
    assert status(Authorization=f"Bearer {TOKEN}", REMOTE_ADDR="10.0.0.7") == 200
    assert status(Authorization="Bearer of-another", REMOTE_ADDR="10.0.0.7") == 404
    assert status(Authorization=f"Bearer {TOKEN}ñ") == 404
    assert status() == 404


def test_it_is_read_only(live_db: None) -> None:
    assert Client().post("/metrics").status_code == 405
