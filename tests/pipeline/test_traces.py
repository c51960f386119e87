"""Traces: one a sale, from the request to its row; none while no collector is named; and they decide nothing."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from blend_pos import tracing
from scripts.ports import LOOPBACK, free_port
from tests.pipeline.collector import Collector, SentSpan, hanging
from tests.pipeline.messages import hold
from tests.pipeline.processes import QUICK, Pipeline
from tests.pipeline.rabbit import FAILED, VirtualHost
from tests.pipeline.shop import open_shop
from tests.pipeline.till import assert_created, assert_in_time
from tests.polling import wait_until
from tests.spawning import Spawner
from ventas.publisher import persist_message

CARD = "tarjeta-4111-1111"
REQUEST = ("checkout", "reserve", "publish")
IMPORTED = re.compile(r"^import time:[ \d|]+ ([\w.]+)$", re.MULTILINE)
SPANS = {"blend_pos.tracing.on", "opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http"}
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{SPAN}-01"


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.close()


@pytest.fixture
def begin(spawn: Spawner, own_host: VirtualHost) -> Callable[..., Pipeline]:
    """A pipeline whose traces go to this address; each part is started when it is first asked for. The queues are
    there: to make them may take as long as a sale waits."""
    own_host.declare()

    def make(url: str, **more: str) -> Pipeline:
        environment = {**QUICK, "RABBITMQ_URL": own_host.url, "OTEL_EXPORTER_OTLP_ENDPOINT": url, **more}
        return Pipeline(own_host, spawn, environment)

    return make


def headers_with(carried: object) -> Callable[[dict[str, Any]], tuple[bytes, dict[str, Any]]]:
    """Makes a sale's message that brings this along."""

    def make(payload: dict[str, Any]) -> tuple[bytes, dict[str, Any]]:
        message = persist_message([orjson.dumps(payload)])
        return message.body, {"headers": {**message.headers, tracing.HEADER: carried}}

    return make


def test_a_sale_is_one_trace_from_the_request_to_its_row(begin: Callable[..., Pipeline], collector: Collector) -> None:
    pipeline = begin(collector.url, OTEL_SERVICE_NAME="la-tienda")
    shop = open_shop()
    sold = pipeline.till(shop).sell_many([[(shop.products[0], 1), (shop.products[1], 2)]] * 6, at_once=3)
    assert_created(sold)
    assert pipeline.worker.running  # only now: what waits is persisted together
    shop.settle_down(ventas=6)

    traces = [collector.of_sale(one.key, *REQUEST, "persist") for one in sold]
    for one, trace in zip(sold, traces, strict=True):
        _assert_in_order(trace)
        assert trace["checkout"].attributes == {
            "venta_id": str(one.key), "tienda_id": str(shop.tienda_id), "lineas": 2, "outcome": "taken",
        }  # fmt: skip
        assert trace["publish"].attributes == {"outcome": "confirmed"}
        assert trace["persist"].attributes == {"venta_id": str(one.key), "outcome": "written"}
    _assert_linked(collector, traces)
    assert {span.service["service.name"] for span in collector.spans} == {"la-tienda"}
    shop.assert_exact()


def _assert_in_order(trace: Mapping[str, SentSpan]) -> None:
    checkout, reserve, publish, persist = (trace[name] for name in (*REQUEST, "persist"))
    assert checkout.parent_id == ""
    assert (reserve.parent_id, publish.parent_id, persist.parent_id) == (
        checkout.span_id, checkout.span_id, publish.span_id,
    )  # fmt: skip
    assert checkout.began_ns <= reserve.began_ns < reserve.ended_ns <= publish.began_ns
    assert publish.ended_ns <= checkout.ended_ns < persist.began_ns < persist.ended_ns
    assert [span.kind for span in (checkout, reserve, publish, persist)] == [
        Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_PRODUCER, Span.SPAN_KIND_CONSUMER,
    ]  # fmt: skip
    assert len({checkout.service["service.instance.id"], persist.service["service.instance.id"]}) == 2


def _assert_linked(collector: Collector, traces: list[dict[str, SentSpan]]) -> None:
    """Batches and sales name each other; the steps of a batch are inside it."""
    wait_until(
        lambda: sum(span.attributes["ventas"] for span in collector.named("persist batch")) == len(traces),
        timeout_s=10,
        what="every batch has come",
    )
    batches = {span.place: span for span in collector.named("persist batch")}
    assert len(batches) < len(traces)
    assert {link for span in batches.values() for link in span.links} == {trace["publish"].place for trace in traces}
    for trace in traces:
        (place,) = trace["persist"].links
        assert trace["publish"].place in batches[place].links
    for place in batches:
        inside = [span for span in collector.spans if (span.trace_id, span.parent_id) == place]
        assert {span.name for span in inside} == {"write", "settle"}


def test_what_became_of_a_request_that_sold_nothing(begin: Callable[..., Pipeline], collector: Collector) -> None:
    pipeline = begin(collector.url)
    shop = open_shop()
    short = pipeline.till(shop).sell([(shop.products[0], 1_000_000)])

    assert short.status == 400
    trace = collector.of_sale(short.key, "checkout", "reserve")
    assert trace["checkout"].attributes["outcome"] == "StockInsuficiente"
    assert trace["reserve"].attributes == {"outcome": "Insufficient"}


def test_a_sale_that_fails_stays_in_its_trace(begin: Callable[..., Pipeline], collector: Collector) -> None:
    pipeline = begin(collector.url)
    pipeline.host.declare()
    shop = open_shop()
    payload = hold(shop, [(shop.products[0], 7_000)], cajero_id=2_000_000_000)
    body, properties = headers_with({payload["venta_id"]: TRACEPARENT})(payload)
    assert pipeline.worker.running
    pipeline.host.publish(body, **properties)

    def told() -> list[str]:
        spans = sorted(collector.named("persist"), key=lambda span: span.began_ns)  # two processes send them
        return [span.attributes["outcome"] for span in spans if span.trace_id == TRACE]

    wait_until(lambda: len(told()) >= 3, timeout_s=15, what="each attempt has come")
    assert told() == ["retried", "retried", "failed"]
    assert {span.parent_id for span in collector.named("persist")} == {SPAN}
    kept = pipeline.host.take(FAILED)
    assert kept is not None
    assert kept.headers[tracing.HEADER] == {payload["venta_id"]: TRACEPARENT}


GARBAGE: list[object] = [
    "text", 7, [TRACEPARENT], {}, {"venta": TRACEPARENT}, {str(uuid4()): 7}, {str(uuid4()): "00-zz-zz-01"},
    {str(uuid4()): f"00-{'0' * 32}-{'0' * 16}-00"}, {str(uuid4()): "x" * 10_000}, {str(uuid4()): {"a": {"b": "c"}}},
    {str(uuid4()): TRACEPARENT for _ in range(1_200)},
]  # fmt: skip


def test_no_header_of_a_trace_decides_anything(begin: Callable[..., Pipeline], collector: Collector) -> None:
    """Anybody may have written it. Each sale is written, once; nothing of it comes again or ends a worker."""
    pipeline = begin(collector.url)
    pipeline.host.declare()
    shop = open_shop()
    payloads = [hold(shop, [(shop.products[0], 1_000)]) for _ in range(2 * len(GARBAGE))]
    ids = [payload["venta_id"] for payload in payloads]
    others = dict.fromkeys(ids, TRACEPARENT)  # one trace that claims every sale
    carried = [*GARBAGE, *[others] * len(GARBAGE)]
    pipeline.host.publish_all([headers_with(one)(payload) for one, payload in zip(carried, payloads, strict=True)])
    assert pipeline.worker.running
    pids = set(pipeline.worker.pids)
    shop.settle_down(ventas=len(payloads))

    assert shop.written() == dict.fromkeys(map(UUID, ids), 1)
    assert pids <= set(pipeline.worker.pids)
    shop.assert_exact()
    assert pipeline.host.ready(FAILED) == 0
    assert "Traceback" not in pipeline.worker.log_text
    wait_until(lambda: len(collector.named("persist")) == len(payloads), timeout_s=15, what="each sale is told")


def refusing() -> AbstractContextManager[str]:
    return nullcontext(f"http://{LOOPBACK}:{free_port()}")


@pytest.mark.parametrize("away", [refusing, hanging])
def test_a_collector_that_is_away_costs_no_sale(
    away: Callable[[], AbstractContextManager[str]], begin: Callable[..., Pipeline]
) -> None:
    with away() as url:
        pipeline = begin(url, OTEL_BSP_MAX_QUEUE_SIZE="20", OTEL_BSP_MAX_EXPORT_BATCH_SIZE="10")
        shop = open_shop()
        assert pipeline.worker.running
        sold = pipeline.till(shop).sell_many([[(shop.products[0], 1)]] * 100, at_once=4)
        assert_created(sold)
        assert_in_time(sold)
        shop.settle_down(ventas=100)
        shop.assert_exact()
        for process in (pipeline.web, pipeline.worker):
            assert "Queue full" in process.log_text
            assert process.log_text.count("opentelemetry") < 30
            process.stop()
            assert process.returncode == 0


def test_what_opentelemetry_cannot_use_is_said_and_costs_no_sale(
    begin: Callable[..., Pipeline], collector: Collector
) -> None:
    pipeline = begin(collector.url, OTEL_BSP_MAX_QUEUE_SIZE="1")
    shop = open_shop()
    assert_created(pipeline.till(shop).sell_many([[(shop.products[0], 1)]] * 3, at_once=1))
    assert pipeline.worker.running
    shop.settle_down(ventas=3)
    assert pipeline.web.log_text.count("traces cannot be sent") == 1
    assert collector.spans == []


@pytest.mark.parametrize("on", [False, True])
def test_without_a_collector_nothing_that_makes_or_sends_spans_is_loaded(
    on: bool, begin: Callable[..., Pipeline], collector: Collector
) -> None:
    """Each process tells what it imports: with the setting it shows, so that its absence says something. redis-py
    loads OpenTelemetry's metrics wherever they are installed."""
    pipeline = begin(collector.url if on else "", PYTHONPROFILEIMPORTTIME="1").start()
    shop = open_shop()
    assert_created([pipeline.till(shop).sell([(shop.products[0], 1)])])
    shop.settle_down(ventas=1)

    for process in (pipeline.web, pipeline.worker, pipeline.maintenance):
        loaded = set(IMPORTED.findall(process.log_text))
        assert loaded >= {"ventas.publisher", "blend_pos.tracing"}
        assert loaded & SPANS == (SPANS if on else set())


def test_nothing_of_a_payment_or_a_token_is_in_a_trace(begin: Callable[..., Pipeline], collector: Collector) -> None:
    pipeline = begin(collector.url)
    shop = open_shop()
    till, key = pipeline.till(shop), uuid4()
    precio = shop.precios[shop.products[0]] / 100
    body = {
        "items": [{"producto_id": str(shop.products[0]), "cantidad": 1, "precio": precio}],
        "pagos": [{"metodo": "TARJETA", "importe": precio, "referencia": CARD}],
    }
    assert till.call("POST", "ventas/checkout", body=body, headers={"Idempotency-Key": str(key)}).status == 201
    assert pipeline.worker.running
    collector.of_sale(key, *REQUEST, "persist")

    sent = b"".join(collector.bodies)
    for secret in (CARD, shop.token, "TARJETA", str(shop.products[0])):
        assert secret.encode() not in sent
