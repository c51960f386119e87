"""A message that another program put on the queue: what in it is no sale is kept, the sales beside it are written."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest

from tests.pipeline.messages import as_payload, hold
from tests.pipeline.rabbit import FAILED, VirtualHost
from tests.pipeline.shop import open_shop
from ventas import recovery, tasks, topology
from ventas.models import EstadoFalla, MotivoFalla, VentaFallida
from ventas.publisher import persist_message

FOREIGN: list[dict[str, Any]] = [
    {"metodo_pago": "EFE\x00"},
    {"metodo_pago": "\ud800"},
    {"metodo_pago": ["EFECTIVO"]},
    {"metodo_pago": "CHEQUE"},
    {"epoch": 10**20},
    {"cajero_id": 10**20},
    {"timestamp": "9999-12-31T23:59:59-14:00"},
    {"timestamp": "0001-01-01T00:00:00+14:00"},
]


@pytest.mark.parametrize("foreign", FOREIGN, ids=str)
def test_the_sales_beside_it_are_written(live_db: None, foreign: dict[str, Any]) -> None:
    shop = open_shop(products=1)
    good = hold(shop, [(shop.products[0], 1_000)])
    marked = {**as_payload(shop, [(shop.products[0], 1_000)]), "marca": uuid4().hex, **foreign}

    tasks.persist_sales(ventas=[good, marked])

    assert shop.written() == {UUID(good["venta_id"]): 1}
    kept = VentaFallida.objects.get(cuerpo__contains=marked["marca"])
    assert (kept.motivo, kept.estado) == (MotivoFalla.ILEGIBLE, EstadoFalla.ABIERTA)
    shop.assert_exact()


def test_it_does_not_stop_the_archive(host: VirtualHost) -> None:
    """A cold start waits for the archive: nothing would sell."""
    shop = open_shop(products=1)
    venta = as_payload(shop, [(shop.products[0], 1_000)], metodo_pago="EFE\x00")
    message = persist_message([orjson.dumps(venta)])
    host.publish(message.body, routing_key=topology.SALES_FAILED, headers=message.headers)

    recovery.archive_failed(now=datetime.now(UTC))

    assert host.ready(FAILED) == 0
    assert VentaFallida.objects.get(cuerpo__contains=venta["venta_id"]).motivo == MotivoFalla.ILEGIBLE
