"""The /metrics of a running product: started, sold through, refused, reconciled, and then read."""

from pathlib import Path

import urllib3
from prometheus_client.parser import text_string_to_metric_families

from scripts import processes
from tests.conftest import SERVICES
from tests.pipeline.rabbit import default_host
from tests.pipeline.shop import open_shop
from tests.pipeline.till import Till
from tests.polling import poll
from tests.spawning import Spawner

Shown = dict[str, dict[str, set[str]]]


def read_page(url: str) -> str:
    return urllib3.request("GET", f"{url}/metrics").data.decode()


def shown_in(page: str) -> Shown:
    """metric -> its labels -> their values."""
    shown: Shown = {}
    for family in text_string_to_metric_families(page):
        for sample in family.samples:
            labels = shown.setdefault(sample.name, {})
            for name, value in sample.labels.items():
                labels.setdefault(name, set()).add(value)
    return shown


def of_a_run(spawn: Spawner, folder: Path) -> Shown:
    """What is shown after a sale was written, another was short, and the stock was compared."""
    counts = folder / "metrics"
    counts.mkdir()
    shared = {"PROMETHEUS_MULTIPROC_DIR": str(counts)}
    default_host(SERVICES.rabbit).purge()
    shop = open_shop()
    web = spawn.web(environment=shared)
    for process in (web, spawn.worker(environment=shared), spawn.maintenance(environment=shared)):
        process.wait_ready()
    till, product = Till(web.url, shop.token), shop.products[0]
    assert [till.sell([(product, units)]).status for units in (1, 100_000)] == [201, 400]
    command = processes.manage("reconcile_stock", "--tienda", str(shop.tienda_id))
    spawn(command, environment=shared)

    wanted = ("sales_processed_total 1.0\n", "stock_drift_products{", "sales_queue_messages{", "stock_holds ")

    def lacking() -> list[str]:
        page = read_page(web.url)
        return [text for text in wanted if text not in page]

    poll(lambda: not lacking(), timeout_s=40)
    assert lacking() == [], lacking()
    return shown_in(read_page(web.url))
