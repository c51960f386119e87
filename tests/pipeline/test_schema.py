"""The API is what its schema says: no answer that it does not document, none that is an error of ours."""

import os
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import requests
import schemathesis
from django.conf import settings as project
from hypothesis import given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from cache_stock import warmup
from tests.fuzz.effort import as_they_come
from tests.pipeline.processes import Pipeline
from tests.pipeline.shop import Shop, open_shop
from tests.pipeline.till import API, Till
from tests.tiendas.people import sign_in

EXAMPLES = 2  # of each operation, for each who and mode; and one of each variant; CASES times as many by `make fuzz`
COUNTS = os.environ.get("SCHEMA_COUNTS")  # a file, for how many requests of whom were answered how
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
SOMETIMES = st.sampled_from([False, False, False, True])  # in a tienda, or as a person, of which nothing is known
SEAT_HEADERS = {"x-tienda-id", "x-terminal-id", "x-usuario-id"}
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


# Who asks: a role's token or session, or nobody.
IDENTITIES = [
    *((rol, way) for rol in ("cajero", "encargado", "administrador") for way in ("token", "sesion")),
    ("nobody", ""),
]
ASKED: Counter[tuple[str, str, int]] = Counter()
SHOPS: dict[str, Shop] = {}


@pytest.fixture
def shop(pipeline: Pipeline) -> Shop:
    """The tienda of all of these tests, warm, with a written sale."""
    url = pipeline.web.url
    if url not in SHOPS:
        SHOPS[url] = _open(pipeline)
    made = SHOPS[url]
    warmup.warm_tienda(tienda_id=made.tienda_id, now_ms=int(time.time() * 1000))
    return made


def _open(pipeline: Pipeline) -> Shop:
    made = open_shop(products=3, stock=500_000)
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


@pytest.mark.parametrize("who", IDENTITIES, ids="-".join)
@pytest.mark.parametrize("operation_id", OPERATIONS, ids=" ".join)
def test_only_what_is_documented(
    operation_id: tuple[str, str], who: tuple[str, str], pipeline: Pipeline, shop: Shop, session: requests.Session
) -> None:
    path, method = operation_id
    operation = schema_of(pipeline)[path][method]
    headers = identify(who, shop)
    venta = shop.ventas()[0].venta_id
    seen: set[int] = set()

    def ask(case: Any, variant: Variant | None, elsewhere: bool) -> None:
        if variant is not None:
            _name_what_is_there(case, shop, venta, variant)
        elif not elsewhere:
            _leave_out_the_seat(case)
        response = case.call(base_url=pipeline.web.url, headers=headers, session=session)
        seen.add(response.status_code)
        ASKED["-".join(who), f"{method} {path}", response.status_code] += 1
        assert response.status_code != HTTPStatus.INTERNAL_SERVER_ERROR
        assert response.status_code < 400 or set(response.json()) == {"codigo", "mensaje", "detalles"}
        case.validate_response(response, checks=CHECKS)

    takes_nothing = path == "/api/v1/sesion" and method != "POST"  # so that nothing can be wrong with it
    modes = (GenerationMode.POSITIVE,) if takes_nothing else (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    variants = VARIANTS if path.endswith(("checkout", "cierre")) else VARIANTS[:1]
    for mode in modes:
        drawn = operation.as_strategy(generation_mode=mode)
        as_they_come(EXAMPLES)(given(drawn, st.none(), SOMETIMES)(ask))()
        for variant in variants:
            settings(as_they_come(1), max_examples=1)(given(drawn, st.just(variant), st.just(False))(ask))()

    expected = EXPECTED[who[0]] if path != "/api/v1/sesion" else {200, 204, 400, 403}
    assert seen & expected, f"never got as far as this role does: {seen}"


def identify(who: tuple[str, str], shop: Shop) -> dict[str, str]:
    """The headers that say who asks."""
    rol, way = who
    if way == "token":
        return {"Authorization": f"Bearer {shop.seats[0].tokens[rol]}"}
    if way == "sesion":
        client = sign_in(shop.users[rol])
        client.get("/api/v1/sesion")
        cookies = {name: client.cookies[name].value for name in (project.SESSION_COOKIE_NAME, project.CSRF_COOKIE_NAME)}
        pairs = "; ".join(f"{name}={value}" for name, value in cookies.items())
        return {"Cookie": pairs, "X-CSRFToken": cookies[project.CSRF_COOKIE_NAME]}
    return {}


def test_then_everything_adds_up(pipeline: Pipeline, shop: Shop) -> None:
    """After all of those above: nothing is left held, and Redis, PostgreSQL and the ledger say the same."""
    shop.come_to_rest(pipeline.host)
    warmup.warm_tienda(tienda_id=shop.tienda_id, now_ms=int(time.time() * 1000))
    assert shop.holds() == {}
    shop.assert_exact()
    if COUNTS:
        rows = sorted((*key, number) for key, number in ASKED.items())
        Path(COUNTS).parent.mkdir(exist_ok=True)
        Path(COUNTS).write_text("".join("\t".join(map(str, row)) + "\n" for row in rows))


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
    _leave_out_the_seat(case)
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


def _leave_out_the_seat(case: Any) -> None:
    for name in [name for name in case.headers or {} if name.lower() in SEAT_HEADERS]:
        del case.headers[name]


def test_each_kind_of_answer_is_as_documented(pipeline: Pipeline, shop: Shop, session: requests.Session) -> None:
    operation = schema_of(pipeline)["/api/v1/ventas/checkout"]["POST"]
    venta = shop.ventas()[0].venta_id
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
