"""What arrives and is no sale is kept for a person, whole; none of it is dropped, and it stops nobody."""

import pickle
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from tests.pipeline.messages import as_payload, hold, put
from tests.pipeline.processes import Pipeline
from tests.pipeline.rabbit import FAILED, VirtualHost
from tests.pipeline.shop import open_shop
from tests.polling import wait_until
from ventas import recovery, signatures, tasks
from ventas.models import EstadoFalla, MotivoFalla, VentaFallida
from ventas.publisher import persist_message

HEADERS = persist_message([b"{}"]).headers


def signed(body: bytes, **headers: str) -> dict[str, Any]:
    """The headers of a call of the task with this body."""
    return {**HEADERS, signatures.HEADER: signatures.sign(body), **headers}


def _publish(host: VirtualHost, body: bytes, **properties: Any) -> None:
    host.publish(body, headers=signed(body), **properties)


Put = Callable[[VirtualHost, str], None]


def _no_json(host: VirtualHost, mark: str) -> None:
    _publish(host, b'\xff\xfe{"' + mark.encode())


def _unknown_content_type(host: VirtualHost, mark: str) -> None:
    _publish(host, mark.encode(), content_type="application/x-unknown")


def _pickled(host: VirtualHost, mark: str) -> None:
    _publish(
        host,
        pickle.dumps([[], {"ventas": [mark]}, {}], 0),
        content_type="application/x-python-serialize",
        content_encoding="binary",
    )


def _not_even_a_call(host: VirtualHost, mark: str) -> None:
    host.publish(orjson.dumps({"tienda_id": mark, "total": 1250.5}))


def _unknown_task(host: VirtualHost, mark: str) -> None:
    body = orjson.dumps([[], {"ventas": mark}, {}])
    host.publish(body, headers=signed(body, task="ventas.no_such_task"))


def _other_arguments(host: VirtualHost, mark: str) -> None:
    _publish(host, orjson.dumps([[mark], {}, {}]))


def _nothing_inside(host: VirtualHost, mark: str) -> None:
    _publish(host, orjson.dumps([[], {"ventas": [None, mark, 3]}, {}]))


def _other_schema(host: VirtualHost, mark: str) -> None:
    put(host, [{"esquema": 2, "venta_id": mark}])


CASES = [
    _no_json,
    _unknown_content_type,
    _pickled,
    _not_even_a_call,
    _unknown_task,
    _other_arguments,
    _nothing_inside,
    _other_schema,
]


@pytest.mark.parametrize("put_wrong", CASES)
def test_it_is_archived_and_sales_go_on(put_wrong: Put, pipeline: Pipeline) -> None:
    shop = open_shop()
    mark = uuid4().hex
    with pipeline.worker_aside():
        sold = [pipeline.till(shop).sell([(shop.products[0], 1)])]
        put_wrong(pipeline.host, mark)
        sold.append(pipeline.till(shop).sell([(shop.products[0], 1)]))

    shop.settle_down(ventas=2)
    pipeline.host.wait_empty()
    kept = VentaFallida.objects.filter(cuerpo__contains=mark)

    def is_kept() -> bool:
        if pipeline.host.ready(FAILED):
            pipeline.host.run(tasks.archive_failed)
        return kept.exists()

    wait_until(is_kept, timeout_s=10, what="what was unreadable is archived")
    (failed,) = kept
    assert (failed.tienda, failed.motivo, failed.estado) == (None, MotivoFalla.ILEGIBLE, EstadoFalla.ABIERTA)
    assert failed.error
    assert shop.written() == {one.key: 1 for one in sold}
    shop.assert_exact()


def _without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda payload: {key: value for key, value in payload.items() if key != name}


@pytest.mark.parametrize(
    "spoil",
    [
        _without("items"),
        _without("cajero_id"),
        lambda payload: payload | {"total": "1.00"},
        lambda payload: payload | {"huella": "0" * 64},
        lambda payload: payload | {"cajero_id": 1e300},
        lambda payload: payload | {"timestamp": "2024-01-15T10:30:45.123456"},
        lambda payload: payload | {"metodo_pago": "EFECTIVO\x00"},
        lambda payload: payload | {"items": payload["items"] * 600},
    ],
)
def test_one_unreadable_sale_among_good_ones(
    spoil: Callable[[dict[str, Any]], dict[str, Any]], pipeline: Pipeline
) -> None:
    shop = open_shop()
    good = [hold(shop, [(shop.products[0], 1_000)]) for _ in range(4)]
    spoiled = spoil(as_payload(shop, [(shop.products[1], 1_000)]))

    put(pipeline.host, [*good[:2], spoiled, *good[2:]])

    shop.settle_down(ventas=4)
    (failed,) = VentaFallida.objects.filter(cuerpo__contains=spoiled["venta_id"])
    assert failed.motivo == MotivoFalla.ILEGIBLE
    assert orjson.loads(failed.cuerpo)["venta_id"] == spoiled["venta_id"]
    assert shop.written() == {UUID(payload["venta_id"]): 1 for payload in good}
    assert pipeline.host.ready(FAILED) == 0
    shop.assert_exact()


def test_the_same_unreadable_body_is_kept_once(pipeline: Pipeline) -> None:
    mark = uuid4().hex
    for _ in range(3):
        _no_json(pipeline.host, mark)
    pipeline.host.wait_ready(FAILED, 3)

    assert recovery.archive_failed(now=datetime.now(UTC)) == 3

    assert VentaFallida.objects.filter(cuerpo__contains=mark).count() == 1
