"""What web, worker and beat write: one JSON line a request and a batch, and nothing that is secret."""

import json
import logging
import os
from collections import Counter
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest
import urllib3

from blend_pos.logs import LineWriter, UnknownFormat, configure
from scripts import processes
from tests.pipeline.shop import Shop, open_shop
from tests.pipeline.till import Till
from tests.polling import wait_until
from tests.spawning import BEAT_READY, WORKER_READY, Process, Spawner, Web
from ventas.models import Venta

JSON = {"LOG_FORMAT": "json"}


@pytest.fixture
def shop(live_db: None) -> Shop:
    return open_shop()


@pytest.fixture
def web(spawn: Spawner) -> Web:
    web = spawn.web(environment=JSON)
    web.wait_ready()
    return web


def stdout_only(command: Sequence[str]) -> list[str]:
    """Celery says some things of its own, as that it runs as root, or that it stops, on stderr."""
    return ["sh", "-c", 'exec "$@" 2>/dev/null', "sh", *command]


def lines_of(process: Process) -> list[dict[str, Any]]:
    return [json.loads(line) for line in process.log_text.splitlines()]


def requests_in(process: Process) -> list[dict[str, Any]]:
    """Without those that asked whether it is ready."""
    return [line for line in lines_of(process) if line["event"] == "request" and line["path"] != "/"]


def wait_persisted(shop: Shop, count: int) -> None:
    wait_until(lambda: len(shop.ventas()) == count, timeout_s=30, what=f"{count} sales are written")


def test_a_request_is_one_line_with_its_tienda_and_its_sale(web: Web, shop: Shop) -> None:
    till = Till(web.url, shop.token)
    sold = till.sell([(shop.products[0], 2)])
    short = till.sell([(shop.products[0], 1_000_000)])
    followed = till.follow(sold.key)
    unnamed = till.call(
        "POST",
        "ventas/checkout",
        body={"items": [{"producto_id": str(shop.products[0]), "cantidad": 1}], "metodo_pago": "EFECTIVO"},
    )

    assert (sold.status, short.status, followed.status, unnamed.status) == (201, 400, 200, 201)
    lines = requests_in(web)
    said = [line for line in lines_of(web) if not line.get("logger", "").startswith("_granian")]
    assert [line for line in said if line.get("path") != "/"] == lines
    checkout = "/api/v1/ventas/checkout"
    tienda = str(shop.tienda_id)
    assert [
        (line["method"], line["path"], line["status"], line["tienda"], line["venta_id"], line.get("codigo"))
        for line in lines
    ] == [
        ("POST", checkout, 201, tienda, str(sold.key), None),
        ("POST", checkout, 400, tienda, str(short.key), "stock_insuficiente"),
        ("GET", f"/api/v1/ventas/{sold.key}", 200, tienda, str(sold.key), None),
        ("POST", checkout, 201, tienda, unnamed.body["venta_id"], None),
    ]
    assert all(0 < line["ms"] < 5_000 and line["level"] == "info" for line in lines)


def test_nothing_secret_is_written(web: Web, shop: Shop) -> None:
    till = Till(web.url, shop.token)
    till.sell([(shop.products[0], 2)], metodo_pago="TARJETA")
    card = "4111-1111-1111-1111"
    till.call("POST", "ventas/checkout", body={"items": [], "metodo_pago": card, "referencia": card})
    till.call("POST", "ventas/checkout", raw=b'{"referencia": "' + card.encode())
    till.call("GET", f"ventas?token={shop.token}&referencia={card}")
    refused = Till(web.url, "blend_" + "f" * 64).get("productos")
    for path in ("/nada", "/admin/login/"):
        urllib3.request("GET", f"{web.url}{path}?token={shop.token}", headers={"Authorization": f"Bearer {shop.token}"})
        urllib3.request("GET", f"{web.url}{path}?token={shop.token}", headers={"Host": "evil.example"})

    assert refused.status == 401
    assert len(requests_in(web)) == 9
    assert [secret for secret in (shop.token, card, "f" * 64, "blend_", "EFECTIVO") if secret in web.log_text] == []


def test_a_503_is_a_warning_and_says_why(spawn: Spawner, shop: Shop) -> None:
    away = spawn.web(environment={**JSON, "REDIS_URL": "redis://127.0.0.1:9/0", "CACHE_URL": os.environ["CACHE_URL"]})
    away.wait_ready()

    assert Till(away.url, shop.token).sell([(shop.products[0], 1)]).status == 503

    (line,) = requests_in(away)
    assert (line["status"], line["level"], line["codigo"]) == (503, "warning", "stock_no_disponible")


def test_a_batch_is_one_line_and_no_sale_has_lines_of_its_own(web: Web, spawn: Spawner, shop: Shop) -> None:
    till = Till(web.url, shop.token)
    sold = till.sell_many([[(shop.products[0], 1)]] * 12, at_once=12)
    worker = spawn(stdout_only(processes.worker()), ready=WORKER_READY, environment=JSON)
    keys = {str(one.key) for one in sold}

    def batches_of_these() -> list[dict[str, Any]]:
        batches = [line for line in lines_of(worker) if line["event"] == "batch persisted"]
        return [line for line in batches if keys & set(line["ventas"].split())]

    def told_of(batches: list[dict[str, Any]]) -> Counter[str]:
        return Counter(venta for line in batches for venta in line["ventas"].split())

    wait_until(lambda: keys <= told_of(batches_of_these()).keys(), timeout_s=30, what="all of them are written")
    batches = batches_of_these()
    told = told_of(batches)  # those of others, too, that waited
    assert {venta: told[venta] for venta in keys} == dict.fromkeys(keys, 1)
    assert all(line["fresh"] == len(line["ventas"].split()) and line["seconds"] > 0 for line in batches)
    assert "procesada" not in worker.log_text
    assert "received" not in worker.log_text
    assert "succeeded" not in worker.log_text


def test_a_full_message_fits_into_what_a_pipe_takes_in_one_piece() -> None:
    line = {
        "fresh": 100, "known": 100, "failed": 100, "seconds": 1000.1234,
        "ventas": " ".join(str(uuid4()) for _ in range(100)),
        "event": "batch persisted", "level": "info", "timestamp": "2026-11-24T15:02:46.428232Z",
    }  # fmt: skip
    assert len(json.dumps(line)) < os.pathconf("/", "PC_PIPE_BUF")


def test_beat_and_maintenance_write_json_too(spawn: Spawner) -> None:
    started = [
        spawn(stdout_only(processes.beat()), ready=BEAT_READY, environment=JSON),
        spawn(stdout_only(processes.maintenance()), ready=WORKER_READY, environment=JSON),
    ]
    for process in started:
        process.wait_ready()
    assert [len(lines_of(process)) > 0 for process in started] == [True, True]


def test_on_a_console_each_sale_is_the_four_lines_of_the_specification(web: Web, spawn: Spawner, shop: Shop) -> None:
    sold = Till(web.url, shop.token).sell([(shop.products[0], 3), (shop.products[1], 1)])
    worker = spawn.worker(environment={"LOG_FORMAT": "console"})
    wait_persisted(shop, 1)

    worker.stop()
    lines = worker.log_text.splitlines()
    at = lines.index(f"✅ Venta {sold.key} procesada exitosamente")
    total = Venta.objects.get(venta_id=sold.key).total
    assert lines[at + 1 : at + 4] == [f"   Total: ${total}", "   Items: 2", "   Método: EFECTIVO"]


def test_an_error_keeps_its_traceback_and_shows_no_variable(spawn: Spawner) -> None:
    program = """
import django; django.setup()
from django.test import Client
from django.urls import path
from blend_pos import urls
def broken(request):
    token = "blend_" + "secret"
    raise KeyError("where")
urls.urlpatterns.insert(0, path("roto", broken))
Client(raise_request_exception=False, headers={"host": "localhost"}).get("/roto?clave=oculta")
"""
    process = spawn([processes.PYTHON, "-c", program], environment=JSON)
    wait_until(lambda: not process.running, timeout_s=30, what="the program ended")

    error, request = lines_of(process)
    assert (error["event"], error["level"]) == ("Internal Server Error: /roto", "error")
    assert error["exception"].endswith("KeyError: 'where'")
    assert (request["event"], request["status"], request["level"]) == ("request", 500, "warning")
    assert [secret for secret in ("oculta", "blend_secret") if secret in process.log_text] == []


def test_a_command_keeps_its_output_to_itself(spawn: Spawner) -> None:
    program = "import logging, manage, sys; sys.argv[1:] = ['check']; manage.main(); logging.warning('careful')"
    process = spawn(stdout_only([processes.PYTHON, "-c", program]), environment=JSON)
    wait_until(lambda: not process.running, timeout_s=30, what="the command ended")
    assert process.returncode == 0
    assert "careful" not in process.log_text


def test_a_line_that_cannot_be_written_fails_nothing() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    LineWriter(writer).msg(b"nobody reads this")
    os.close(writer)
    LineWriter(writer).msg(b"nor this")


@pytest.mark.parametrize(
    "options",
    [
        {"format": "xml", "stream": "stdout", "level": "INFO"},
        {"format": "json", "stream": "file", "level": "INFO"},
    ],
)
def test_a_format_that_there_is_not_is_refused(options: dict[str, str]) -> None:
    before = logging.getLogger().handlers[:]
    with pytest.raises(UnknownFormat):
        configure(options)
    assert logging.getLogger().handlers == before
