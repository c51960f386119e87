"""How a sale was paid: read, carried, written, shown; and when it was bought."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from rest_framework.exceptions import ValidationError

from tests.cache_stock.store import Store
from tests.tiendas.people import hire
from tests.ventas.test_admin import product_of, write
from ventas import cold_start, selectors
from ventas.messages import (
    Pedido,
    SaleMessage,
    UnreadableMessage,
    fingerprint,
    hold_of,
    read_sale,
    sale_as_payload,
    sale_payload,
)
from ventas.models import Pago, Venta
from ventas.order_body import read_body
from ventas.orders import LONGEST_WAIT, Order
from ventas.payments import Payment, kind_of

CASH = {"metodo": "EFECTIVO", "importe": 20, "recibido": 50}
CARD = {"metodo": "TARJETA", "importe": 1.5, "referencia": "A-1"}
PRODUCTO = uuid4()


def body(*pagos: Any, precio: float | None = 21.5, **more: Any) -> dict[str, Any]:
    line = {"producto_id": str(PRODUCTO), "cantidad": 1} | ({} if precio is None else {"precio": precio})
    return {"items": [line], "pagos": list(pagos), **more}


def wrong(data: Any) -> Any:
    with pytest.raises(ValidationError) as refused:
        read_body(data)
    return refused.value.detail


def test_mixed_payments_are_read_to_the_cent() -> None:
    read = read_body(body(CASH, CARD))

    assert read.metodo_pago == "MIXTO"
    assert read.pagos == (Payment("EFECTIVO", 2_000, 5_000), Payment("TARJETA", 150, None, "A-1"))


@pytest.mark.parametrize(
    ("pagos", "metodo"),
    [([CASH], "EFECTIVO"), ([CARD, CARD], "TARJETA"), ([CASH, CARD], "MIXTO")],
)
def test_what_they_are_together(pagos: list[Any], metodo: str) -> None:
    total = sum(pago["importe"] for pago in pagos)

    assert read_body(body(*pagos, precio=total)).metodo_pago == metodo
    assert read_body(body(*pagos, precio=total, metodo_pago=metodo)).metodo_pago == metodo
    assert "metodo_pago" in wrong(body(*pagos, precio=total, metodo_pago="TRANSFERENCIA"))


@pytest.mark.parametrize(
    "pago",
    [
        None,
        {},
        {"metodo": "MIXTO", "importe": 21.5},
        {"metodo": "EFECTIVO", "importe": 0},
        {"metodo": "EFECTIVO", "importe": -1},
        {"metodo": "EFECTIVO", "importe": 21.505},
        {"metodo": "EFECTIVO", "importe": "21.5"},
        {"metodo": "EFECTIVO", "importe": 21.5, "recibido": 20},
        {"metodo": "EFECTIVO", "importe": 21.5, "recibido": "x"},
        {"metodo": "EFECTIVO", "importe": 21.5, "referencia": "A"},
        {"metodo": "TARJETA", "importe": 21.5, "recibido": 30},
        {"metodo": "TARJETA", "importe": 21.5, "referencia": "x" * 65},
        {"metodo": "TARJETA", "importe": 21.5, "referencia": "a\x00b"},
        {"metodo": "TARJETA", "importe": 21.5, "otro": 1},
    ],
)
def test_a_payment_that_cannot_be(pago: Any) -> None:
    assert list(wrong(body(pago))["pagos"]) == ["0"]


@pytest.mark.parametrize("pagos", [[], [CASH] * 11, "EFECTIVO", {}])
def test_how_many(pagos: Any) -> None:
    assert "pagos" in wrong({**body(), "pagos": pagos})


def test_they_add_up_to_what_was_shown() -> None:
    assert wrong(body(CASH))["pagos"] == ["Suman 20.00 y las líneas 21.50."]
    assert wrong(body(CASH, CARD, precio=None))["pagos"] == ["Con pagos, cada línea lleva el precio que se mostró."]


def test_they_are_part_of_what_makes_a_sale_the_same() -> None:
    lines = [(PRODUCTO, 1_000)]
    paid = [Payment("EFECTIVO", 2_000, 5_000), Payment("TARJETA", 150, None, "A-1")]
    huellas = {
        fingerprint(lines=lines, metodo_pago="MIXTO", pagos=pagos)
        for pagos in ([], paid, paid[::-1], [replace(paid[0], recibido_centavos=4_000), paid[1]])
    }

    assert len(huellas) == 4


@pytest.fixture
def store(live_db: None) -> Store:
    store = Store()
    store.product(stock="5")
    store.warm()
    return store


PAID = (Payment("EFECTIVO", 1_500, 2_000), Payment("TRANSFERENCIA", 500, None, "SPEI 77"))


def held_sale(store: Store, *, pagos: tuple[Payment, ...] = PAID, vendida: datetime | None = None) -> SaleMessage:
    """Two units of 10.00, held as a checkout holds them, as they would travel."""
    producto, venta_id = product_of(store), uuid4()
    metodo = kind_of(pagos)
    huella = fingerprint(lines=[(producto, 2_000)], metodo_pago=metodo, pagos=pagos)
    pedido = Pedido(
        (vendida or datetime.now(UTC)).isoformat(),
        hire(store.shop).pk,
        str(store.shop.terminal.pk),
        metodo,
        ((str(producto), 2_000),),
        pagos=pagos,
    )
    held = store.hold({producto: 2_000}, venta_id=venta_id, pedido=pedido.encode(), huella=huella)
    assert Pedido.decode(pedido.encode()) == pedido
    payload, total = sale_payload(
        tienda_id=store.tienda_id,
        venta_id=venta_id,
        huella=huella,
        epoch=held.epoch,
        pedido=pedido,
        products=held.products,
    )
    assert total == 2_000
    return read_sale(payload)


def test_they_are_written_with_the_sale_and_shown(store: Store) -> None:
    sale = held_sale(store)
    before = selectors.follow_sale(tienda_id=store.tienda_id, venta_id=sale.venta_id)

    write(sale)

    rows = Pago.objects.filter(venta__venta_id=sale.venta_id).order_by("orden")
    assert list(rows.values_list("orden", "metodo", "importe", "recibido", "referencia")) == [
        (1, "EFECTIVO", Decimal("15.00"), Decimal("20.00"), ""),
        (2, "TRANSFERENCIA", Decimal("5.00"), None, "SPEI 77"),
    ]
    after = selectors.follow_sale(tienda_id=store.tienda_id, venta_id=sale.venta_id)
    assert before is not None
    assert after is not None
    assert (before["estado"], after["estado"], after["metodo_pago"]) == ("RESERVADA", "PERSISTIDA", "MIXTO")
    assert before["pagos"] == after["pagos"]
    assert [pago["importe"] for pago in after["pagos"]] == [Decimal("15.00"), Decimal("5.00")]


def test_written_twice_they_are_there_once(store: Store) -> None:
    sale = held_sale(store)

    write(sale)
    write(sale)

    assert Pago.objects.filter(venta__venta_id=sale.venta_id).count() == 2
    store.assert_in_step()


@pytest.mark.parametrize(("metodo", "shown"), [("TARJETA", ["TARJETA"]), ("MIXTO", [])])
def test_a_sale_without_any_shows_what_is_known(store: Store, metodo: str, shown: list[str]) -> None:
    sale = held_sale(store)
    lines = [(item.producto_id, item.cantidad_milli) for item in sale.items]
    plain = replace(sale, metodo_pago=metodo, pagos=(), huella=fingerprint(lines=lines, metodo_pago=metodo))

    write(plain)

    assert Pago.objects.filter(venta__venta_id=sale.venta_id).count() == 0
    found = selectors.follow_sale(tienda_id=store.tienda_id, venta_id=sale.venta_id)
    assert found is not None
    assert [(pago["metodo"], pago["importe"]) for pago in found["pagos"]] == [
        (each, Decimal("20.00")) for each in shown
    ]


@pytest.mark.parametrize(
    ("metodo", "pago", "why"),
    [
        ("EFECTIVO", Payment("EFECTIVO", 1_999), "add up"),
        ("TARJETA", Payment("EFECTIVO", 2_000), "metodo_pago is not"),
        ("MIXTO", Payment("MIXTO", 2_000), "cannot be"),
        ("EFECTIVO", Payment("EFECTIVO", 2_000, 1_900), "cannot be"),
        ("TARJETA", Payment("TARJETA", 2_000, None, "a\x00b"), "cannot be"),
    ],
)
def test_a_message_whose_payments_cannot_be(store: Store, metodo: str, pago: Payment, why: str) -> None:
    """Its fingerprint is right: it is the payments that are not."""
    sale = held_sale(store)
    lines = [(item.producto_id, item.cantidad_milli) for item in sale.items]
    huella = fingerprint(lines=lines, metodo_pago=metodo, pagos=[pago])

    with pytest.raises(UnreadableMessage, match=why):
        read_sale(sale_as_payload(replace(sale, metodo_pago=metodo, pagos=(pago,), huella=huella)))


@pytest.mark.parametrize("pagos", ["EFECTIVO", None, [], [{}], [{"metodo": "EFECTIVO", "importe": 20}]])
def test_a_message_whose_payments_are_none(store: Store, pagos: Any) -> None:
    with pytest.raises(UnreadableMessage):
        read_sale({**sale_as_payload(held_sale(store)), "pagos": pagos})


def test_a_failed_sale_keeps_them(store: Store) -> None:
    sale = held_sale(store)
    assert read_sale(sale_as_payload(sale)) == sale
    pedido, _products = hold_of(sale)

    assert Pedido.decode(pedido.encode()).pagos == PAID


@pytest.mark.parametrize(
    ("metodo", "importe", "recibido"),
    [("EFECTIVO", "5", "4"), ("TARJETA", "5", "5"), ("EFECTIVO", "0", None), ("MIXTO", "5", None)],
)
def test_the_database_refuses_what_cannot_be(store: Store, metodo: str, importe: str, recibido: str | None) -> None:
    sale = held_sale(store)
    write(sale)
    venta = Venta.objects.get(tienda=store.tienda_id)

    with pytest.raises(IntegrityError), transaction.atomic():
        Pago.objects.create(venta=venta, orden=9, metodo=metodo, importe=importe, recibido=recibido)


# --- when it was bought

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def order(vendida: datetime | None) -> Order:
    return Order(uuid4(), 1, uuid4(), uuid4(), True, "EFECTIVO", (), NOW, 0.0, vendida=vendida)


@pytest.mark.parametrize(
    ("told", "believed"),
    [
        (None, NOW),
        (NOW - timedelta(days=7), NOW - timedelta(days=7)),
        (NOW - timedelta(days=31), NOW - timedelta(days=31)),
        (NOW - timedelta(days=31, seconds=1), NOW),
        (NOW + timedelta(seconds=1), NOW),
        (datetime(1970, 1, 1, tzinfo=UTC), NOW),
    ],
)
def test_a_clock_that_cannot_be_right_is_not_believed(told: datetime | None, believed: datetime) -> None:
    assert order(told).sold_at == believed


def test_it_is_read_with_its_zone() -> None:
    read = read_body({**body(CASH, precio=20), "vendida": "2026-11-20T10:00:00-06:00"})

    assert read.vendida == datetime(2026, 11, 20, 16, tzinfo=UTC)


@pytest.mark.parametrize("moment", ["", "ayer", "2026-11-20T10:00:00", 5, "0001-01-01T00:00:00+14:00"])
def test_a_moment_that_is_none(moment: Any) -> None:
    assert "vendida" in wrong({**body(CASH, precio=20), "vendida": moment})


def test_the_sale_is_of_the_day_it_was_bought(store: Store) -> None:
    bought = datetime.now(UTC) - timedelta(days=5)
    sale = held_sale(store, vendida=bought)

    write(sale)

    assert Venta.objects.get(tienda=store.tienda_id).fecha == bought


def test_the_answer_of_a_sale_that_was_bought_long_ago_is_loaded_after_a_loss(store: Store) -> None:
    """By when it was written: its key may be new, made when the till could ask again."""
    late = held_sale(store, vendida=datetime.now(UTC) - LONGEST_WAIT)
    write(late)
    forgotten = held_sale(store)
    write(forgotten)
    long_ago = datetime.now(UTC) - timedelta(seconds=settings.ANSWER_TTL_S, minutes=1)
    Venta.objects.filter(tienda=store.tienda_id, venta_id=forgotten.venta_id).update(persistida=long_ago)

    loaded = [sale.venta_id for sale in cold_start.answers(store.tienda_id)]

    assert loaded == [late.venta_id]
