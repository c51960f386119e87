"""A sale through every stage."""

import re
from datetime import datetime, timedelta
from decimal import Decimal
from http import HTTPStatus
from uuid import UUID, uuid4

import orjson

from cache_stock import keys, reservation, scripts
from inventario.models import InventoryLedger, TipoMovimiento
from scripts.processes import PYTHON
from tests.pipeline.processes import Pipeline
from tests.pipeline.rabbit import FAILED, SALES
from tests.pipeline.shop import open_shop
from tests.pipeline.till import Sold, assert_created, by_status
from tests.polling import wait_until
from tests.spawning import WORKER_READY, Spawner
from ventas import tasks
from ventas.models import DetalleVenta, Venta

SPEC_FIELDS = {"venta_id", "fecha", "total", "metodo_pago", "cantidad_items", "mensaje"}


def test_every_stage(pipeline: Pipeline) -> None:
    shop = open_shop(products=3, stock=50, precios=("500.25", "199.90", "10.44"))
    till = pipeline.till(shop)
    first, second, third = sorted(shop.products, key=lambda producto: -shop.precios[producto])

    with pipeline.worker_aside():
        sold = till.sell([(first, 2), (second, 1), (third, 4.125)], metodo_pago="EFECTIVO")

        fecha = assert_answered_as_specified(sold)

        # Redis: held, not sold.
        assert shop.saldos() == {first: (50_000, 2_000), second: (50_000, 1_000), third: (50_000, 4_125)}
        assert list(shop.holds()) == [sold.key]
        assert till.follow(sold.key).body["estado"] == "RESERVADA"

        # RabbitMQ: one message in Celery's protocol, exact numbers as text.
        pipeline.host.wait_ready(SALES, 1)
        message = pipeline.host.take(SALES)
        assert message is not None
        assert message.headers["task"] == "ventas.persist_sales"
        (payload,) = orjson.loads(message.body)[1]["ventas"]
        assert payload["total"] == "1243.47"
        assert [item["cantidad"] for item in payload["items"]] == ["2.000", "1.000", "4.125"]
        assert not shop.ventas()
        pipeline.host.publish(message.body, headers=message.headers)

    # PostgreSQL: rows, ledger, receipt.
    shop.settle_down(ventas=1)
    (venta,) = shop.ventas()
    assert (venta.venta_id, venta.total, venta.metodo_pago) == (sold.key, Decimal("1243.47"), "EFECTIVO")
    assert (venta.cajero_id, venta.terminal_id, venta.recibo) == (shop.users["cajero"].pk, shop.seats[0].terminal_id, 1)
    assert venta.fecha == fecha
    assert_lines_and_ledger(venta, [first, second, third])

    # Settled: no hold, the new balances, an answer for who asks again.
    assert not shop.holds()
    assert not reservation.is_held(tienda_id=shop.tienda_id, venta_id=sold.key)
    assert scripts.stock_client().ttl(keys.answer(shop.tienda_id, sold.key)) > 0
    followed = till.follow(sold.key).body
    assert (followed["estado"], followed["recibo"], followed["total"]) == ("PERSISTIDA", 1, 1243.47)
    assert [line["cantidad"] for line in followed["detalles"]] == [2, 1, 4.125]
    shop.assert_exact()


def assert_answered_as_specified(sold: Sold) -> datetime:
    """The specification's fields, with a real id, an offset, and numbers. Returns its `fecha`."""
    assert sold.status == HTTPStatus.CREATED
    answer = sold.reply.body
    assert answer.keys() == SPEC_FIELDS | {"estado"}
    assert answer["venta_id"] == str(sold.key)
    assert answer["estado"] == "RESERVADA"
    assert answer["total"] == 1243.47  # 1000.50 + 199.90 + 43.07: 4.125 x 10.44 is 43.065, rounded half up
    assert answer["metodo_pago"] == "EFECTIVO"
    assert answer["cantidad_items"] == 3
    assert answer["mensaje"] == "✅ Venta reservada - procesando en segundo plano"
    fecha = datetime.fromisoformat(answer["fecha"])
    assert fecha.utcoffset() == timedelta(hours=-6)  # the tienda's own zone
    return fecha


def assert_lines_and_ledger(venta: Venta, products: list[UUID]) -> None:
    """Each line as it was sold, and its movement."""
    first, second, third = products
    lines = DetalleVenta.objects.filter(venta=venta).order_by("linea")
    assert [(line.linea, line.producto_id, line.cantidad, line.precio_unitario, line.importe) for line in lines] == [
        (1, first, Decimal("2.000"), Decimal("500.25"), Decimal("1000.50")),
        (2, second, Decimal("1.000"), Decimal("199.90"), Decimal("199.90")),
        (3, third, Decimal("4.125"), Decimal("10.44"), Decimal("43.07")),
    ]
    moved = InventoryLedger.objects.filter(venta=venta).order_by("linea")
    assert [(move.linea, move.tipo, move.delta, move.saldo, move.version) for move in moved] == [
        (1, TipoMovimiento.VENTA, Decimal("-2.000"), Decimal("48.000"), 2),
        (2, TipoMovimiento.VENTA, Decimal("-1.000"), Decimal("49.000"), 2),
        (3, TipoMovimiento.VENTA, Decimal("-4.125"), Decimal("45.875"), 2),
    ]


def test_the_worker_says_each_sale_as_the_specification_has_it(pipeline: Pipeline) -> None:
    shop = open_shop(products=3, precios=("500.00", "250.00", "0.50"))
    quantities = zip(sorted(shop.products, key=lambda producto: -shop.precios[producto]), (2, 1, 1), strict=True)

    sold = pipeline.till(shop).sell(list(quantities), metodo_pago="TARJETA")
    shop.settle_down(ventas=1)

    wait_until(lambda: f"{sold.key} procesada" in pipeline.worker.log_text, timeout_s=5, what="the worker says it")
    lines = pipeline.worker.log_text.splitlines()
    (at,) = [number for number, line in enumerate(lines) if str(sold.key) in line and "procesada" in line]
    assert re.search(rf"✅ Venta {sold.key} procesada exitosamente$", lines[at])
    assert lines[at + 1 : at + 4] == ["   Total: $1250.50", "   Items: 3", "   Método: TARJETA"]


def test_receipts_are_numbered_by_terminal_without_a_gap(pipeline: Pipeline) -> None:
    shop = open_shop(products=2, terminals=3)
    carts = [[(shop.products[0], 1)]] * 20

    for terminal in range(3):
        assert_created(pipeline.till(shop, terminal=terminal).sell_many(carts, at_once=4))

    shop.settle_down(ventas=60)
    for seat in shop.seats:
        recibos = Venta.objects.filter(terminal=seat.terminal_id).order_by("recibo").values_list("recibo", flat=True)
        assert list(recibos) == list(range(1, 21))
    shop.assert_exact()


def test_a_plain_worker_takes_sales_and_maintenance(pipeline: Pipeline, spawn: Spawner) -> None:
    shop = open_shop()
    till = pipeline.till(shop)
    with pipeline.worker_aside():
        sold = till.sell([(shop.products[0], 1)])
        plain = spawn(
            [PYTHON, "-m", "celery", "-A", "celery_app", "worker", "-c", "1", "-l", "INFO"], ready=WORKER_READY
        )
        plain.wait_ready()
        shop.settle_down(ventas=1)
        tasks.sweep.apply_async()
        tasks.sweep.apply_async()  # one for each worker that takes maintenance
        wait_until(lambda: str(sold.key) in plain.log_text, timeout_s=10, what="the plain worker wrote it")
        wait_until(lambda: "Task ventas.sweep" in plain.log_text, timeout_s=10, what="the plain worker swept")
        plain.stop()


def test_a_hundred_tills_at_once(pipeline: Pipeline) -> None:
    shop = open_shop(products=5, stock=100, terminals=2)
    carts = [[(shop.products[n % 5], 1), (shop.products[(n + 1) % 5], 1)] for n in range(300)]

    sold = pipeline.till(shop).sell_many(carts, at_once=24)

    taken = by_status(sold)
    assert taken.keys() == {201, 400}
    shop.settle_down(ventas=len(taken[201]))
    assert set(shop.written()) == set(taken[201])
    assert shop.sold() == 2_000 * len(taken[201])
    assert shop.sold() <= 500_000
    shop.assert_exact()
    assert pipeline.host.ready(FAILED) == 0
    assert {one.reply.body["codigo"] for one in sold if one.status == 400} == {"stock_insuficiente"}


def test_without_a_key_the_server_makes_one(pipeline: Pipeline) -> None:
    shop = open_shop()
    body = {"items": [{"producto_id": str(shop.products[0]), "cantidad": 1}], "metodo_pago": "MIXTO"}
    till = pipeline.till(shop)

    first, second = (till.call("POST", "ventas/checkout", body=body) for _ in range(2))

    assert (first.status, second.status) == (201, 201)
    assert first.body["venta_id"] != second.body["venta_id"]
    shop.settle_down(ventas=2)
    assert {str(key) for key in shop.written()} == {first.body["venta_id"], second.body["venta_id"]}
    assert till.follow(uuid4()).status == 404
