"""The body of a checkout: what is a cart, and a 400 that names each field for everything else."""

from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ValidationError

from tests.ventas.test_messages import JSON, PATIENT
from ventas.order_body import MOST_PRICE, MOST_UNITS, Body, read_body, read_key
from ventas.orders import OrderLine

PRODUCTO = uuid4()


def body(**line: Any) -> dict[str, Any]:
    return {"items": [{"producto_id": str(PRODUCTO), "cantidad": 1, **line}], "metodo_pago": "EFECTIVO"}


def wrong_fields(data: Any) -> set[str]:
    """The paths that the refusal names."""
    with pytest.raises(ValidationError) as refused:
        read_body(data)
    detail: Any = refused.value.detail
    return set(_paths(detail))


def _paths(detail: Any, prefix: str = "") -> list[str]:
    if not isinstance(detail, dict):
        return [prefix.rstrip(".")]
    return [path for name, inner in detail.items() for path in _paths(inner, f"{prefix}{name}.")]


@pytest.mark.parametrize(
    ("cantidad", "milli"),
    [(1, 1_000), (2.5, 2_500), (0.001, 1), (1.005, 1_005), (0.1 + 0.2, None), (MOST_UNITS, 10**9)],
)
def test_quantities(cantidad: float, milli: int | None) -> None:
    if milli is None:
        assert wrong_fields(body(cantidad=cantidad)) == {"items.0.cantidad"}
    else:
        assert read_body(body(cantidad=cantidad)) == Body((OrderLine(PRODUCTO, milli),), "EFECTIVO")


@pytest.mark.parametrize(
    "cantidad", [0, -1, 0.0005, 1.2345, MOST_UNITS + 1, 1e300, float("inf"), float("nan"), True, "1", None, [], {}]
)
def test_what_is_no_quantity(cantidad: Any) -> None:
    assert wrong_fields(body(cantidad=cantidad)) == {"items.0.cantidad"}


@pytest.mark.parametrize(
    ("precio", "centavos"), [(0, 0), (10.5, 1_050), (0.29, 29), (MOST_PRICE, 10**11), (None, None)]
)
def test_the_price_that_was_shown(precio: Any, centavos: int | None) -> None:
    assert read_body(body(precio=precio)) == Body((OrderLine(PRODUCTO, 1_000, centavos),), "EFECTIVO")


@pytest.mark.parametrize("precio", [-0.01, 0.001, "10.5", False, MOST_PRICE + 1, float("nan")])
def test_what_is_no_price(precio: Any) -> None:
    assert wrong_fields(body(precio=precio)) == {"items.0.precio"}


@pytest.mark.parametrize(
    ("data", "wrong"),
    [
        (None, {"cuerpo"}),
        ([], {"cuerpo"}),
        ({}, {"items", "metodo_pago"}),
        ({"items": [], "metodo_pago": "EFECTIVO"}, {"items"}),
        ({"items": {}, "metodo_pago": "EFECTIVO"}, {"items"}),
        (body() | {"metodo_pago": "efectivo"}, {"metodo_pago"}),
        (body() | {"metodo_pago": ["EFECTIVO"]}, {"metodo_pago"}),
        (body() | {"total": 1}, {"total"}),
        (body(nombre="x"), {"items.0.nombre"}),
        (body(producto_id="1"), {"items.0.producto_id"}),
        (body(producto_id=PRODUCTO.hex), {"items.0.producto_id"}),
        ({"items": [7, None], "metodo_pago": "MIXTO"}, {"items.0.linea", "items.1.linea"}),
        (body(producto_id=None, cantidad=0), {"items.0.producto_id", "items.0.cantidad"}),
        (body(precio=-1) | {"metodo_pago": 1}, {"items.0.precio", "metodo_pago"}),
    ],
)
def test_each_wrong_field_is_named(data: Any, wrong: set[str]) -> None:
    assert wrong_fields(data) == wrong


def test_the_most_lines() -> None:
    line = body()["items"][0]
    most = {"items": [line] * settings.SALE_MAX_LINES, "metodo_pago": "TARJETA"}

    assert len(read_body(most).lines) == settings.SALE_MAX_LINES
    assert wrong_fields(most | {"items": [*most["items"], line]}) == {"items"}


@PATIENT
@given(JSON)
def test_anything_is_a_refusal_and_nothing_worse(data: Any) -> None:
    with pytest.raises(ValidationError):
        read_body(data)


@PATIENT
@given(
    st.lists(
        st.fixed_dictionaries(
            {"producto_id": st.uuids().map(str) | JSON, "cantidad": st.floats() | st.integers() | JSON},
            optional={"precio": st.floats() | st.integers() | JSON, "otro": JSON},
        ),
        max_size=4,
    ),
    st.sampled_from(["EFECTIVO", "MIXTO"]) | JSON,
)
def test_nearly_a_cart(items: list[dict[str, Any]], metodo_pago: Any) -> None:
    """What is read is exactly what was sent."""
    try:
        read = read_body({"items": items, "metodo_pago": metodo_pago})
    except ValidationError:
        return
    assert read.metodo_pago == metodo_pago
    for line, item in zip(read.lines, items, strict=True):
        assert line.producto_id == UUID(item["producto_id"])
        assert Decimal(line.cantidad_milli) == Decimal(str(item["cantidad"])) * 1000 > 0
        shown = item.get("precio")
        assert line.precio_centavos == (None if shown is None else Decimal(str(shown)) * 100)


def test_keys() -> None:
    key = uuid4()

    assert read_key(None) is None
    assert read_key(f" {key} ") == key
    assert read_key(str(key).upper()) == key
    for wrong in ("", "1", key.hex, f"{{{key}}}", "x" * 36, f"urn:uuid:{key}"):
        with pytest.raises(ValidationError):
            read_key(wrong)
