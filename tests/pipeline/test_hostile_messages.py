"""Whoever reaches the exchange may send anything: it ends no worker, stops no sale, fills no memory and no log."""

import zlib
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import orjson
import pytest
from kombu.message import Message

from tests.pipeline.messages import as_payload, hold
from tests.pipeline.processes import Pipeline
from tests.pipeline.rabbit import FAILED
from tests.pipeline.shop import Shop, open_shop
from tests.polling import wait_until
from ventas import recovery, signatures, topology
from ventas.consumer import CompressedMessage
from ventas.models import MotivoFalla, VentaFallida
from ventas.publisher import persist_message

FORGED_LINE = '\n{"event": "forged"}\x1b[31m'
OURS = persist_message([b"{}"]).headers
LONE_SURROGATE = "\ud800"

FIRMAS: list[Any] = [[1], {}, 1, LONE_SURROGATE, "ñ", "0" * 100_000]

HEADERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "no task": {name: value for name, value in OURS.items() if name != "task"},
    **{f"task {task!r}": {**OURS, "task": task} for task in ([1], {"a": 1}, 7, True, LONE_SURROGATE, FORGED_LINE)},
    "a task of nobody": {**OURS, "task": "ventas.no_such_task"},
    **{f"firma {firma!r:.9}": {**OURS, "firma": firma} for firma in FIRMAS},
    "an id that is a line": {**OURS, "id": FORGED_LINE},
    "an id of half a sign": {**OURS, "id": LONE_SURROGATE},
    "compressed": {**OURS, "compression": "gzip"},
    "compressed by a list": {**OURS, "compression": [1]},
    # Another task: what Celery takes apart before it runs.
    **{
        f"maintenance, {name} {value!r}": {**OURS, "task": "ventas.sweep", name: value}
        for name, value in [
            ("timelimit", 5),
            ("timelimit", ["x"]),
            ("eta", "not a time"),
            ("eta", [1]),
            ("expires", {"a": 1}),
            ("retries", "many"),
            ("id", [1]),
            ("id", {"a": 1}),
            ("root_id", {"a": 1}),
            ("replaced_task_nesting", "x"),
            ("stamped_headers", 5),
            ("stamped_headers", ["no"]),
            ("delivery_info", "x"),
            ("retries", -1),
            ("retries", True),
            ("group", "x"),
            ("eta", "2026-11-24T10:42:07+00:00"),
            ("is_eager", True),
            ("kwargs", 5),
            ("x-delivery-count", "many"),
            ("x-delivery-count", [1]),
        ]
    },
}
# What a task of maintenance is called with.
BODIES = [
    b"",
    b"\xff",
    b"5",
    b"[]",
    b'{"task": "ventas.sweep"}',
    b"[[], 5, {}]",
    b"[5, {}, {}]",
    b"[[], {}, 5]",
    b'[[], {}, {"chain": 5}]',
    b'[[], {}, {"chain": [{"task": 5}]}]',
    b'[[], {}, {"callbacks": 5}]',
    b'[[], {}, {"callbacks": [{"task": "ventas.persist_sales", "kwargs": {"ventas": [1]}}]}]',
    b'[[1], {}, {"errbacks": 5}]',
    b'[[1], {}, {"errbacks": [{"task": "ventas.persist_sales", "kwargs": {"ventas": [1]}}]}]',
    b'[[], {}, {"chord": 5}]',
    b'[[], {"\xc3\xb1": 1}, {}]',
    b"[" * 100_000,
    b"[[], {}, {}]" + b" " * 1_000_000,
    b"[[" + b"9" * 10_000 + b"], {}, {}]",
]


@pytest.fixture
def shop(live_db: None) -> Shop:
    return open_shop()


def test_whatever_a_task_is_called_with_ends_no_worker(pipeline: Pipeline, shop: Shop) -> None:
    worker = pipeline.worker
    for body in BODIES:
        pipeline.host.publish(body, headers={**OURS, "task": "ventas.sweep", "id": str(uuid4())})
    sold = pipeline.till(shop).sell([(shop.products[0], 1)])

    shop.settle_down(ventas=1)
    pipeline.host.wait_empty()
    assert pipeline.worker is worker
    assert shop.written() == {sold.key: 1}
    pipeline.host.wait_ready(FAILED, len(BODIES))


# Whoever has seen one of ours can send it again, and no signature covers these.
WRITTEN_OTHERWISE = [
    {"content_type": "application/data"},  # read as bytes, which are more than the three parts of a call
    {"content_encoding": "binary"},
    {"content_type": ""},
    {"content_encoding": ""},
    {"content_encoding": "no-such-encoding"},
    {"content_encoding": "utf-16"},
    {"content_encoding": "zlib"},
    {"content_encoding": "idna"},
    {"content_type": "application/x-python-serialize"},
    {"content_type": "application/x-yaml"},
]


def test_a_sale_of_ours_in_another_envelope_ends_no_worker(pipeline: Pipeline, shop: Shop) -> None:
    worker = pipeline.worker
    message = persist_message([orjson.dumps(hold(shop, [(shop.products[0], 1_000)]))])
    for properties in WRITTEN_OTHERWISE:
        pipeline.host.publish(message.body, headers=dict(message.headers), **properties)
    pipeline.host.publish(message.body, headers=dict(message.headers))
    sold = pipeline.till(shop).sell([(shop.products[1], 1)])

    shop.settle_down(ventas=2)
    pipeline.host.wait_empty()
    assert pipeline.worker is worker
    assert sold.key in shop.written()
    pipeline.host.wait_ready(FAILED, len(WRITTEN_OTHERWISE))
    shop.assert_exact()


def test_a_signature_is_good_for_one_task_only() -> None:
    body = b"[[], {}, {}]"
    firma = signatures.sign(body, task="ventas.sweep")
    assert signatures.is_signed(body, firma, task="ventas.sweep")
    assert not signatures.is_signed(body, firma, task="ventas.cold_start")
    assert not signatures.is_signed(body, firma)
    assert not signatures.is_signed(body, signatures.sign(body), task="ventas.sweep")


def test_it_ends_no_worker_and_is_kept(pipeline: Pipeline, shop: Shop) -> None:
    worker = pipeline.worker
    mark = uuid4().hex
    said = len(worker.log_text)
    for headers in HEADERS.values():
        payload = as_payload(shop, [(shop.products[0], 1_000)], venta_id=uuid4())
        body = orjson.dumps([[], {"ventas": [{**payload, "referencia": mark}]}, {}])
        pipeline.host.publish(body, headers=as_if_replayed(headers, body))
    sold = pipeline.till(shop).sell([(shop.products[0], 1)])

    shop.settle_down(ventas=1)
    pipeline.host.wait_empty()
    assert worker.running
    assert pipeline.worker is worker
    assert shop.written() == {sold.key: 1}
    pipeline.host.wait_ready(FAILED, len(HEADERS))
    while recovery.archive_failed(now=datetime.now(UTC)):
        pass
    kept = VentaFallida.objects.filter(cuerpo__contains=mark)
    assert {(failed.motivo, failed.tienda) for failed in kept} == {(MotivoFalla.ILEGIBLE, None)}
    assert len(kept) == len(HEADERS)
    lines = worker.log_text[said:]
    assert mark not in lines
    assert not [line for line in lines.splitlines() if line.startswith('{"event"')]
    assert "\x1b" not in lines
    shop.assert_exact()


def as_if_replayed(headers: dict[str, Any], body: bytes) -> dict[str, Any]:
    """With the signature of the body, so that it is the other headers that are looked at."""
    if headers.get("task") != "ventas.sweep":
        return headers
    return {**headers, signatures.HEADER: signatures.sign(body, task="ventas.sweep")}


DEAD_LETTERS: list[dict[str, Any]] = [
    {"x-death": "x"},
    {"x-death": []},
    {"x-death": [1]},
    {"x-death": [{"reason": [1]}]},
    {"x-death": {"a": 1}},
    {"error": LONE_SURROGATE},
    {"error": "\x00" + FORGED_LINE},
    {"error": "x" * 100_000},
    {"error": [1, {"a": LONE_SURROGATE}]},
    {"firma": LONE_SURROGATE},
]


def test_no_dead_letter_stops_the_archive(pipeline: Pipeline) -> None:
    """A cold start waits for the archive: what it cannot keep would keep every tienda from selling."""
    marks = [uuid4().hex for _ in DEAD_LETTERS]
    for mark, headers in zip(marks, DEAD_LETTERS, strict=True):
        body = mark.encode() + b"\x00\xff\xed\xa0\x80"
        pipeline.host.publish(body, routing_key=topology.SALES_FAILED, headers=headers)
    pipeline.host.wait_ready(FAILED, len(marks))

    wait_until(
        lambda: recovery.archive_failed(now=datetime.now(UTC)) == 0 and pipeline.host.ready(FAILED) == 0,
        timeout_s=20,
        what="all of them are archived",
    )

    for mark in marks:
        kept = VentaFallida.objects.get(cuerpo__contains=mark)
        assert kept.motivo == MotivoFalla.ILEGIBLE
        assert recovery.UNSIGNED in kept.error
        assert kept.error.isprintable()


def test_a_compressed_message_is_not_unpacked() -> None:
    """A thousandth of its size travels; it would be unpacked before its signature is looked at."""
    bomb: Any = zlib.compress(b"\x00" * 10_000_000)
    for kind in ("application/x-gzip", "gzip", "zlib", "bzip2", "application/x-bz2"):
        message: Any = Message(body=bomb, headers={"compression": kind})
        assert message.body == bomb
        (problem,) = message.errors
        assert problem[0] is CompressedMessage


def test_whatever_is_no_signature_signs_nothing() -> None:
    for wrong in (*FIRMAS, None, b"x", signatures.sign(b"another")):
        assert not signatures.is_signed(b"body", wrong)
    assert not signatures.is_signed(LONE_SURROGATE, signatures.sign(b"body"))
    assert signatures.is_signed("body", signatures.sign(b"body"))
