"""The API is what its schema says: no answer that it does not document, none that is an error of ours."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from itertools import product
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.pipeline.processes import Pipeline
from tests.pipeline.shop import Shop, open_shop
from tests.pipeline.till import API, Till

EXAMPLES = 4  # of each operation, for each role and mode; and one of each variant
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
SEAT_HEADERS = {"x-tienda-id", "x-terminal-id", "x-usuario-id"}
BOUNDED = settings(
    max_examples=1,
    deadline=None,
    database=None,
    derandomize=True,  # the same requests each time: what fails here fails again
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
OPERATIONS = [
    ("/api/v1/ventas/checkout", "POST"),
    ("/api/v1/ventas/{venta_id}", "GET"),
    ("/api/v1/ventas", "GET"),
    ("/api/v1/ventas/{venta_id}/cierre", "POST"),
    ("/api/v1/productos", "GET"),
    ("/api/v1/productos/disponible", "GET"),
    ("/api/v1/productos/{producto_id}", "GET"),
    ("/api/v1/cache/warmup", "POST"),
    ("/api/v1/cache/stats", "GET"),
    ("/api/v1/cache/flush", "DELETE"),
    ("/api/v1/sesion", "GET"),
    ("/api/v1/sesion", "POST"),
    ("/api/v1/sesion", "DELETE"),
]


@pytest.fixture
def shop(pipeline: Pipeline) -> Shop:
    """A tienda with a written sale."""
    made = open_shop(products=3, stock=10_000)
    assert pipeline.till(made).sell([(made.products[0], 1)]).status == HTTPStatus.CREATED
    made.settle_down(ventas=1)
    return made


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as opened:
        yield opened


def schema_of(pipeline: Pipeline) -> Any:
    return _schema_at(pipeline.web.url)


@cache
def _schema_at(url: str) -> Any:
    return schemathesis.openapi.from_url(f"{url}{API}schema", headers={"Accept": "application/json"})


def test_every_operation_is_here(pipeline: Pipeline) -> None:
    """So that a new one is not forgotten below."""
    found = [(result.ok().path, result.ok().method.upper()) for result in schema_of(pipeline).get_all_operations()]

    assert sorted(found) == sorted(OPERATIONS)


@pytest.mark.parametrize("rol", ["cajero", "encargado", "administrador", "nobody"])
@pytest.mark.parametrize("operation_id", OPERATIONS, ids=" ".join)
def test_only_what_is_documented(
    operation_id: tuple[str, str], rol: str, pipeline: Pipeline, shop: Shop, session: requests.Session
) -> None:
    path, method = operation_id
    operation = schema_of(pipeline)[path][method]
    token = shop.seats[0].tokens.get(rol)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    (venta,) = shop.written()

    seen = set()
    takes_nothing = path == "/api/v1/sesion" and method != "POST"  # so that nothing can be wrong with it
    modes = (GenerationMode.POSITIVE,) if takes_nothing else (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    for mode, variant in product(modes, (None, *VARIANTS)):

        @settings(BOUNDED, max_examples=1 if variant else EXAMPLES)
        @given(operation.as_strategy(generation_mode=mode), st.just(variant))
        def ask(case: Any, variant: Variant | None) -> None:
            if variant is not None:
                _name_what_is_there(case, shop, venta, variant)
            response = case.call(base_url=pipeline.web.url, headers=headers, session=session)
            seen.add(response.status_code)
            assert response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR
            assert response.status_code < 400 or set(response.json()) == {"codigo", "mensaje", "detalles"}
            case.validate_response(response, checks=CHECKS)

        ask()

    assert seen & (EXPECTED[rol] if path != "/api/v1/sesion" else {200, 403}), (
        f"never got as far as this role does: {seen}"
    )


@dataclass(frozen=True, slots=True)
class Variant:
    """A cart that means something; `status` is what it is answered with."""

    status: int
    cantidad: float = 1.125
    precio: float | None = None
    written_key: bool = False


VARIANTS = [
    Variant(201),
    Variant(400, cantidad=1_000_000),
    Variant(409, precio=99.99),
    Variant(422, written_key=True),
]
EXPECTED = {"cajero": {200, 201, 403}, "encargado": {200, 201}, "administrador": {200, 201}, "nobody": {401}}


def _name_what_is_there(case: Any, shop: Shop, venta: UUID, variant: Variant) -> None:
    """Ids that are drawn name nothing: put some that do, and leave out what would lead to another tienda or person."""
    for name in [name for name in case.headers or {} if name.lower() in SEAT_HEADERS]:
        del case.headers[name]
    parameters = cast("dict[str, Any]", case.path_parameters or {})
    for name, known in (("venta_id", venta), ("producto_id", shop.products[0])):
        if name in parameters:
            parameters[name] = str(known)
    line = {"producto_id": str(shop.products[0]), "cantidad": variant.cantidad, "precio": variant.precio}
    if case.path.endswith("cierre"):
        parameters["venta_id"] = str(venta if variant.written_key else uuid4())
        refusal = {"codigo": "stock_insuficiente", "mensaje": "no alcanza"}
        case.body = {"items": [line], "metodo_pago": "EFECTIVO", "rechazo": refusal, "razon": "se fue"}
    if case.path.endswith("checkout"):
        case.body = {"items": [line], "metodo_pago": "EFECTIVO"}
        case.headers["Idempotency-Key"] = str(venta if variant.written_key else uuid4())


def test_each_kind_of_answer_is_as_documented(pipeline: Pipeline, shop: Shop, session: requests.Session) -> None:
    operation = schema_of(pipeline)["/api/v1/ventas/checkout"]["POST"]
    (venta,) = shop.written()
    headers = {"Authorization": f"Bearer {shop.token}"}
    for variant in VARIANTS:
        case = operation.Case(body={}, headers={}, media_type="application/json")
        _name_what_is_there(case, shop, venta, variant)
        response = case.call(base_url=pipeline.web.url, headers=headers, session=session)
        assert response.status_code == variant.status
        case.validate_response(response, checks=CHECKS)


BODIES = [
    b"",
    b"{",
    b"null",
    b"[]",
    b"\xff\xfe",
    b'"' + b"x" * 300_000 + b'"',
    b"[" * 100_000,
    b'{"items":[{"producto_id":"\\u0000","cantidad":1}],"metodo_pago":"EFECTIVO"}',
    b'{"items":[{"cantidad":1e400}],"metodo_pago":"EFECTIVO"}',
    b'{"items":[{"cantidad":-0.0}],"metodo_pago":"EFECTIVO"}',
    b'{"items":[{"cantidad":123456789012345678901234567890}]}',
]


@pytest.mark.parametrize("body", BODIES, ids=range(len(BODIES)))
def test_any_body_is_answered(body: bytes, pipeline: Pipeline, shop: Shop) -> None:
    reply = pipeline.till(shop).call("POST", "ventas/checkout", raw=body)

    assert reply.status == HTTPStatus.BAD_REQUEST
    assert set(reply.body) == {"codigo", "mensaje", "detalles"}


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "x"]
)
def test_any_content_type_is_answered(kind: str, pipeline: Pipeline, shop: Shop) -> None:
    till: Till = pipeline.till(shop)
    reply = till.call("POST", "ventas/checkout", raw=b"{}", headers={"Content-Type": kind})

    assert reply.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    assert set(reply.body) == {"codigo", "mensaje", "detalles"}
