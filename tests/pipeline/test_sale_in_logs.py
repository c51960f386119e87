"""A sale can be followed by its venta_id through what each process writes, also where it goes wrong."""

import json
from typing import Any

import pytest

from tests.pipeline.messages import as_payload, hold, put
from tests.pipeline.processes import QUICK, Pipeline
from tests.pipeline.rabbit import FAILED, VirtualHost
from tests.pipeline.shop import open_shop
from tests.pipeline.till import assert_created
from tests.polling import wait_until
from tests.spawning import Process, Spawner
from ventas import tasks


@pytest.fixture
def pipeline(spawn: Spawner, own_host: VirtualHost) -> Pipeline:
    return Pipeline(own_host, spawn, {**QUICK, "LOG_FORMAT": "json", "RABBITMQ_URL": own_host.url}).start()


def said(process: Process, venta_id: object) -> list[dict[str, Any]]:
    """The lines that name the sale. Celery itself says a few words in plain text."""
    lines = [json.loads(line) for line in process.log_text.splitlines() if line.startswith("{")]
    return [line for line in lines if str(venta_id) in (line.get("venta_id"), *line.get("ventas", "").split())]


def wait_said(process: Process, venta_id: object, *events: str) -> None:
    """Wait until exactly these lines name it, in this order."""
    wait_until(
        lambda: [line["event"] for line in said(process, venta_id)] == list(events),
        timeout_s=20,
        what=f"{events} of {venta_id} in {process.log.name}",
    )


def test_the_line_of_its_request_and_of_its_batch(pipeline: Pipeline) -> None:
    shop = open_shop()
    sold = pipeline.till(shop).sell_many([[(shop.products[0], 1)]] * 5, at_once=5)
    assert_created(sold)
    for one in sold:
        wait_said(pipeline.web, one.key, "request")
        wait_said(pipeline.worker, one.key, "batch persisted")


def test_each_attempt_of_one_that_fails_and_its_end(pipeline: Pipeline) -> None:
    shop = open_shop()
    good = [hold(shop, [(shop.products[0], 1_000)]) for _ in range(2)]
    bad = hold(shop, [(shop.products[0], 7_000)], cajero_id=2_000_000_000)

    put(pipeline.host, [*good, bad])

    wait_said(pipeline.worker, bad["venta_id"], *["sale cannot be persisted"] * 3)
    pipeline.host.wait_ready(FAILED, 1)
    pipeline.host.run(tasks.archive_failed)
    wait_said(pipeline.maintenance, bad["venta_id"], "a failed sale waits for a manager")
    (line,) = said(pipeline.maintenance, bad["venta_id"])
    assert (line["tienda"], line["motivo"], line["level"]) == (str(shop.tienda_id), "INTENTOS", "error")
    for payload in good:
        wait_said(pipeline.worker, payload["venta_id"], "batch persisted")


def test_a_sweep_a_copy_and_what_is_not_written(pipeline: Pipeline) -> None:
    shop = open_shop()
    lost = [hold(shop, [(shop.products[0], 1_000)], sweep_after_ms=0) for _ in range(2)]
    old = as_payload(shop, [(shop.products[1], 1_000)], epoch=0)

    pipeline.host.run(tasks.sweep)
    shop.settle_down(ventas=2)
    put(pipeline.host, [lost[0], old])

    for payload in lost:
        wait_said(pipeline.maintenance, payload["venta_id"], "2 overdue holds published again: confirmed")
    wait_said(pipeline.worker, lost[0]["venta_id"], "batch persisted", "written before")
    wait_said(pipeline.worker, lost[1]["venta_id"], "batch persisted")
    wait_said(pipeline.worker, old["venta_id"], "not written")
    (line,) = said(pipeline.worker, old["venta_id"])
    assert (line["tienda"], line["motivo"], line["level"]) == (str(shop.tienda_id), "EPOCA", "warning")
