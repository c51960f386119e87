"""Whoever reaches the exchange or a queue without the key has no sale written; what came is kept for a person."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from django.test import override_settings

from tests.pipeline.messages import as_payload
from tests.pipeline.processes import Pipeline
from tests.pipeline.rabbit import FAILED, SALES, VirtualHost
from tests.pipeline.shop import Shop, open_shop
from tests.polling import wait_until
from ventas import recovery, signatures, tasks, topology
from ventas.models import MotivoFalla, VentaFallida
from ventas.publisher import TaskMessage, persist_message

MAINTENANCE = topology.MAINTENANCE_QUEUE.name


def forged(shop: Shop, firma: str | None) -> tuple[UUID, TaskMessage]:
    """A sale in every way as ours, but for its signature."""
    payload = as_payload(shop, [(shop.products[0], 1_000)])
    message = persist_message([orjson.dumps(payload)])
    del message.headers[signatures.HEADER]
    if firma is not None:
        message.headers[signatures.HEADER] = firma
    return UUID(payload["venta_id"]), message


def by_another_key(body: bytes) -> str:
    with override_settings(SECRET_KEY="somebody else's"):
        return signatures.sign(body)


def kept(venta_id: UUID) -> VentaFallida:
    return VentaFallida.objects.get(cuerpo__contains=str(venta_id))


@pytest.mark.parametrize(
    "firma",
    [None, "", "0" * 64, signatures.sign(b"another body")],
    ids=["none", "empty", "zeros", "of another body"],
)
def test_it_goes_to_the_dead_letters(firma: str | None, pipeline: Pipeline) -> None:
    shop = open_shop()
    venta_id, message = forged(shop, firma)

    pipeline.host.publish(message.body, headers=message.headers)

    pipeline.host.wait_ready(FAILED, 1)
    assert shop.written() == {}
    recovery.archive_failed(now=datetime.now(UTC))
    assert (kept(venta_id).motivo, kept(venta_id).tienda, kept(venta_id).con_reserva) == (
        MotivoFalla.ILEGIBLE,
        None,
        False,
    )
    assert recovery.UNSIGNED in kept(venta_id).error
    shop.assert_exact()


def test_celerys_own_call_signs_nothing(pipeline: Pipeline) -> None:
    """A sale comes by the publisher alone."""
    shop = open_shop()
    tasks.persist_sales.apply_async(kwargs={"ventas": [as_payload(shop, [(shop.products[0], 1_000)])]})

    pipeline.host.wait_ready(FAILED, 1)
    assert shop.written() == {}


def test_another_key_signs_nothing(pipeline: Pipeline) -> None:
    shop = open_shop()
    _venta_id, message = forged(shop, None)
    message.headers[signatures.HEADER] = by_another_key(message.body)

    pipeline.host.publish(message.body, headers=message.headers)

    pipeline.host.wait_ready(FAILED, 1)
    assert shop.written() == {}


def test_it_is_no_failed_sale_that_could_be_retried(pipeline: Pipeline) -> None:
    """Put among the failed ones by hand, it would be a manager's click from being written."""
    shop = open_shop()
    venta_id, message = forged(shop, None)
    pipeline.host.publish(message.body, headers=message.headers, routing_key=topology.SALES_FAILED)
    pipeline.host.wait_ready(FAILED, 1)

    recovery.archive_failed(now=datetime.now(UTC))

    assert shop.fallidas() == []
    assert kept(venta_id).mensaje is None


def test_maintenance_takes_no_forged_sale_either(pipeline: Pipeline) -> None:
    shop = open_shop()
    _venta_id, message = forged(shop, None)
    _put_on(pipeline.host, MAINTENANCE, message)

    wait_until(
        lambda: "without our signature" in pipeline.maintenance.log_text, timeout_s=10, what="maintenance rejects it"
    )
    assert shop.written() == {}


def _put_on(host: VirtualHost, queue: str, message: TaskMessage) -> None:
    """By the default exchange: into that queue."""
    with host.channel() as channel:
        prepared: Any = channel.prepare_message(
            message.body, content_type="application/json", content_encoding="utf-8", headers=message.headers
        )
        channel.basic_publish(prepared, exchange="", routing_key=queue)


def test_a_key_of_before_is_taken_while_it_is_named(pipeline: Pipeline) -> None:
    shop = open_shop()
    venta_id, message = forged(shop, None)
    signature = by_another_key(message.body)
    assert not signatures.is_signed(message.body, signature)
    with override_settings(SECRET_KEY_FALLBACKS=["somebody else's"]):
        assert signatures.is_signed(message.body, signature)
        assert signatures.is_signed(message.body, signatures.sign(message.body))
        assert not signatures.is_signed(message.body + b" ", signature)
    message.headers[signatures.HEADER] = signatures.sign(message.body)

    pipeline.host.publish(message.body, headers=message.headers)

    wait_until(lambda: shop.written() == {venta_id: 1}, timeout_s=10, what="ours is written")
    assert pipeline.host.ready(SALES) == 0
