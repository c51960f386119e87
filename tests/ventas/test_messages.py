"""The sale message, there and back, and whatever else may arrive in its place."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cache_stock.reservation import HeldProduct
from ventas.messages import (
    MOST_WHOLE,
    Pedido,
    SaleMessage,
    UnreadableMessage,
    decimal_text,
    fingerprint,
    hold_of,
    line_amount,
    read_sale,
    sale_as_payload,
    sale_payload,
)

PATIENT = settings(deadline=None)  # a machine may be busy
QUANTITIES = st.integers(1, 10**9)
PRICES = st.integers(0, 10**11)
WHOLE = st.integers(0, MOST_WHOLE - 1)
ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=ZONES)  # noqa: DTZ001 - the zone is drawn beside it


@st.composite
def sales(draw: st.DrawFn) -> dict[str, Any]:
    """What a checkout would publish: some products, on one or several lines each."""
    held = [
        HeldProduct(producto, 0, draw(PRICES), draw(st.integers(0, 10_000)), 1)
        for producto in draw(st.lists(st.uuids(), min_size=1, max_size=5, unique=True))
    ]
    lines = draw(st.lists(st.tuples(st.sampled_from(held), QUANTITIES), min_size=1, max_size=8))
    metodo_pago = draw(st.sampled_from(["EFECTIVO", "TARJETA", "TRANSFERENCIA", "MIXTO"]))
    pedido = Pedido(
        draw(MOMENTS).isoformat(),
        draw(WHOLE),
        str(draw(st.uuids())),
        metodo_pago,
        tuple((str(product.producto_id), cantidad) for product, cantidad in lines),
    )
    payload, _total = sale_payload(
        tienda_id=draw(st.uuids()),
        venta_id=draw(st.uuids()),
        huella=fingerprint(lines=[(p.producto_id, n) for p, n in lines], metodo_pago=metodo_pago),
        epoch=draw(WHOLE),
        pedido=pedido,
        products=held,
    )
    return payload


@PATIENT
@given(sales())
def test_there_and_back(payload: dict[str, Any]) -> None:
    sale = read_sale(orjson.loads(orjson.dumps(payload)))

    assert sale_as_payload(sale) == payload
    assert str(sale.total_centavos) == payload["total"].replace(".", "").lstrip("0") or sale.total_centavos == 0
    pedido, products = hold_of(sale)
    assert Pedido.decode(pedido.encode()) == pedido
    assert sum(product.cantidad_milli for product in products) == sum(item.cantidad_milli for item in sale.items)
    assert len({product.producto_id for product in products}) == len(products)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=10,
)


@PATIENT
@given(JSON)
def test_anything_is_unreadable_and_nothing_worse(value: Any) -> None:
    with pytest.raises(UnreadableMessage):
        read_sale(value)


@PATIENT
@given(sales(), st.data())
def test_a_spoiled_field_is_unreadable_or_a_sale(payload: dict[str, Any], data: st.DataObject) -> None:
    """One field is something else: it is refused, or what is read is exactly what was sent."""
    where: Any = payload
    if data.draw(st.booleans()):
        where = payload["items"][data.draw(st.integers(0, len(payload["items"]) - 1))]
    where[data.draw(st.sampled_from(sorted(where)))] = data.draw(
        JSON | st.sampled_from(["-1.00", "1e3", "NaN", "١.00", "1.0000", "9" * 25, "", ".", "1_0.00"])
    )
    try:
        sale = read_sale(payload)
    except UnreadableMessage:
        return
    assert isinstance(sale, SaleMessage)
    assert sale_as_payload(sale) | {"timestamp": ""} == _canonical(payload) | {"timestamp": ""}


def _canonical(payload: dict[str, Any]) -> dict[str, Any]:
    """Numbers and ids in the one form in which they are written."""
    found = dict(payload)
    for name in ("tienda_id", "venta_id", "terminal_id"):
        found[name] = str(UUID(found[name]))
    found["total"] = f"{Decimal(found['total']):.2f}"
    found["items"] = [
        {
            "producto_id": str(UUID(item["producto_id"])),
            "cantidad": f"{Decimal(item['cantidad']):.3f}",
            **{name: f"{Decimal(item[name]):.2f}" for name in ("precio", "impuesto", "importe")},
        }
        for item in found["items"]
    ]
    return found


@PATIENT
@given(st.text())
def test_any_text_is_no_request_of_a_hold(text: str) -> None:
    with pytest.raises(UnreadableMessage):
        Pedido.decode(text)


@PATIENT
@given(QUANTITIES, PRICES)
def test_a_line_is_rounded_half_up_once(cantidad_milli: int, precio_centavos: int) -> None:
    exact = Decimal(cantidad_milli) * precio_centavos / 1000

    assert line_amount(cantidad_milli=cantidad_milli, precio_centavos=precio_centavos) == int(
        exact.quantize(Decimal(1), ROUND_HALF_UP)
    )


@PATIENT
@given(st.integers(0, 10**18), st.sampled_from([2, 3]))
def test_decimal_text_is_exact(value: int, places: int) -> None:
    assert Decimal(decimal_text(value, places)) == Decimal(value).scaleb(-places)
    assert len(decimal_text(value, places).split(".")[1]) == places


def test_what_makes_it_the_same_sale() -> None:
    first, second = UUID(int=1), UUID(int=2)
    one = fingerprint(lines=[(first, 1_000), (second, 500)], metodo_pago="EFECTIVO")

    assert one == fingerprint(lines=[(first, 1_000), (second, 500)], metodo_pago="EFECTIVO")
    others = {
        fingerprint(lines=[(second, 500), (first, 1_000)], metodo_pago="EFECTIVO"),
        fingerprint(lines=[(first, 1_000), (second, 500)], metodo_pago="TARJETA"),
        fingerprint(lines=[(first, 1_000), (second, 501)], metodo_pago="EFECTIVO"),
        fingerprint(lines=[(first, 1_000)], metodo_pago="EFECTIVO"),
        fingerprint(lines=[(first, 500), (first, 500), (second, 500)], metodo_pago="EFECTIVO"),
    }
    assert len(others) == 5
    assert one not in others


def test_prices_frozen_by_an_earlier_sale_are_kept_line_by_line() -> None:
    producto = UUID(int=1)
    pedido = Pedido(datetime.now(UTC).isoformat(), 1, str(UUID(int=2)), "EFECTIVO", ((str(producto), 1_000),) * 2)
    dearer = HeldProduct(producto, 2_000, 9_999, 1_600, 1)
    frozen = replace(pedido, precios=((100, 0), (200, 0)))

    payload, total = sale_payload(
        tienda_id=UUID(int=3), venta_id=UUID(int=4), huella="", epoch=1, pedido=frozen, products=[dearer]
    )

    assert [item["precio"] for item in payload["items"]] == ["1.00", "2.00"]
    assert total == 300
