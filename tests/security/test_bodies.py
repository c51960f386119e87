"""Whatever is sent: a clear 4xx, in time, and nothing is held."""

import re
import time
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from tests.pipeline.shop import Shop
from tests.pipeline.till import PROMISED_S
from tests.security.bodies import NUMBERS, WORDS, broken, cart, strange_ids
from tests.security.pages import assert_guarded
from tests.security.world import World
from tests.tiendas.people import PASSWORD

FORM = "application/x-www-form-urlencoded"
CHECKOUT = "/api/v1/ventas/checkout"
SAMPLE = broken("00000000-0000-4000-8000-000000000000")
KINDS = [
    "text/plain",
    FORM,
    "multipart/form-data; boundary=x",
    "application/xml",
    "x",
    "",
]
FORMS = ["/cuenta/login", "/admin/login/"]


@pytest.fixture
def shop(world: World) -> Shop:
    return world.own.shop


def send(shop: Shop, body: bytes, path: str = CHECKOUT, kind: str = "application/json", **headers: str) -> Any:
    """As a till that has a token; its answer comes in time, and is one of ours."""
    client = Client(raise_request_exception=False)
    sent = {"Authorization": f"Bearer {shop.seats[0].tokens['encargado']}", **headers}
    held, started = shop.holds(), time.monotonic()
    answer = client.generic("POST", path, body, content_type=kind, headers=sent)
    assert time.monotonic() - started < PROMISED_S
    assert 400 <= answer.status_code < 500, (body[:80], answer.content[:300])
    assert answer.json().keys() == {"codigo", "mensaje", "detalles"}
    assert len(answer.content) < 20_000, "an answer that grows with the question"
    assert shop.holds() == held
    return answer


@pytest.mark.parametrize("what", SAMPLE)
def test_a_body_that_is_none(what: str, shop: Shop) -> None:
    body = broken(str(shop.products[0]))[what]
    for path in (CHECKOUT, f"/api/v1/ventas/{uuid4()}/cierre"):
        assert send(shop, body, path).status_code == 400
    sign_in = Client(raise_request_exception=False).generic(
        "POST", "/api/v1/sesion", body, content_type="application/json"
    )
    assert sign_in.status_code == 400


@pytest.mark.parametrize("value", [*NUMBERS, *WORDS])
def test_a_number_that_is_none(value: str, shop: Shop) -> None:
    producto = f'"{shop.products[0]}"'
    assert send(shop, cart(value, producto=producto)).status_code == 400
    if value not in {"0", "null", "1e-400"}:  # which a price may be
        assert send(shop, cart(f'1,"precio":{value}', producto=producto)).status_code in {400, 409}
    paid = f'[{{"metodo":"EFECTIVO","importe":{value}}}]'
    assert send(shop, cart('1,"precio":10.5', producto=producto, more=f',"pagos":{paid}')).status_code == 400
    for name in ("metodo_pago_", "vendida", "pagos"):
        if value != "null":
            assert send(shop, cart(producto=producto, more=f',"{name}":{value}')).status_code == 400


def test_an_id_that_is_none(shop: Shop) -> None:
    for value in strange_ids(str(shop.products[0])):
        assert send(shop, cart(producto=value)).status_code == 400, value
        key = value.strip('"').encode("ascii", "backslashreplace").decode()
        if "\\" not in key and key.strip() != str(shop.products[0]):
            sold = cart(producto=f'"{shop.products[0]}"')
            assert send(shop, sold, **{"Idempotency-Key": key}).status_code == 400, key
            elsewhere = {"X-Tienda-ID": key, "X-Terminal-ID": key}
            assert send(shop, sold, **elsewhere).status_code == 404, key


@pytest.mark.parametrize("kind", KINDS)
def test_a_body_of_another_kind(kind: str, shop: Shop) -> None:
    sound = cart(producto=f'"{shop.products[0]}"')
    for body in (sound, b'--x\r\nContent-Disposition: form-data; name="a"; filename="b"\r\n\r\n' + b"x" * 1_000):
        assert send(shop, body, kind=kind).status_code in {400, 415}
        for path in ("cache/warmup", "cache/flush"):  # they read none
            assert Client().generic("POST", f"/api/v1/{path}", body, content_type=kind).status_code == 401


def test_a_compressed_body_is_never_opened(shop: Shop) -> None:
    bomb = broken(str(shop.products[0]))["a gzip bomb"]
    for encoding in ("gzip", "deflate", "br", "identity, gzip"):
        assert send(shop, bomb, **{"Content-Encoding": encoding}).status_code == 400


# --- forms


def form(boundary: str, *parts: tuple[str, bytes]) -> bytes:
    found = [
        f"--{boundary}\r\nContent-Disposition: form-data; {head}\r\n\r\n".encode() + body + b"\r\n"
        for head, body in parts
    ]
    return b"".join(found) + f"--{boundary}--\r\n".encode()


FILE = ("multipart/form-data; boundary=x", form("x", ('name="f"; filename="a.bin"', b"x" * 300_000)))
BAD_FORMS = {
    "a file": FILE,
    "many files": (FILE[0], form("x", *[(f'name="f{n}"; filename="a"', b"x") for n in range(200)])),
    "a large field": (FILE[0], form("x", ('name="f"', b"x" * 300_000))),
    "many fields": (FORM, b"&".join(b"a%d=1" % n for n in range(1_001))),
    "many parts": (FILE[0], form("x", *[(f'name="f{n}"', b"x") for n in range(1_100)])),
    "too large": (FORM, b"username=" + b"x" * 300_000),
}
NO_MATCH = {
    "null bytes": (FORM, b"username=%00&password=%00&next=%00"),
    "broken utf-8": (FORM, b"username=%ff%fe&password=%c0%80"),
    "utf-7": ("application/x-www-form-urlencoded; charset=utf-7", b"username=+AHg-&password=x"),
    "an unknown charset": ("application/x-www-form-urlencoded; charset=nada", b"username=x&password=x"),
    "a long password": (FORM, b"username=x&password=" + b"x" * 200_000),
    "no boundary": ("multipart/form-data", b"x"),
    "a long boundary": ("multipart/form-data; boundary=" + "x" * 5_000, b"x"),
    "not closed": (FILE[0], b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\nx'),
    "json": ("application/json", b'{"username": "x"}'),
}


@pytest.mark.parametrize("what", [*BAD_FORMS, *NO_MATCH])
@pytest.mark.parametrize("path", FORMS)
def test_a_form_of_a_stranger(path: str, what: str, world: World) -> None:
    kind, body = (BAD_FORMS | NO_MATCH)[what]
    answer = Client(raise_request_exception=False).generic("POST", path, body, content_type=kind)
    assert answer.status_code in ({400} if what in BAD_FORMS else {200, 400}), answer.content[:200]
    assert "sessionid" not in answer.cookies
    assert_guarded(answer)


def test_a_form_of_staff(world: World) -> None:
    client, producto = world.staff["administrador"], world.own.rows["inventario_producto"]
    digits, stock = "9" * 5_000, world.own.shop.stock()
    for value in ("NaN", "Infinity", "-1", "1e999", digits, "\x00", "\ud7ff", "1e-999"):
        moved = client.post(
            f"/admin/inventario/producto/{producto}/movimiento/",
            {"movimiento": "entra:COMPRA", "cantidad": value, "motivo": value, "operacion": str(uuid4())},
        )
        added = client.post(
            "/admin/inventario/producto/add/",
            {
                "nombre": value,
                "sku": value,
                "precio": value,
                "impuesto": value,
                "stock_inicial": value,
                "tienda": value,
            },
        )
        assert added.status_code == 200, value
        assert moved.status_code == 200, value
    assert world.own.shop.stock() == stock


# --- queries

DIGITS = ("9" * 5_000, "9" * 30)
VALUES = ("%00", *DIGITS, "-1", "NaN", "1e999", "%FF%FE", "%F0%9F%98%80", "x" * 20_000, "'%20OR%201=1--", "")
QUERIES = {
    "/api/v1/productos": ("q", "desde", "pagina", "limite"),
    "/api/v1/productos/disponible": ("id",),
    "/api/v1/ventas": ("cursor", "limite"),
    "/api/v1/docs": ("script",),
    "/cuenta/login": ("next",),
    "/admin/login/": ("next",),
}
LISTS = {
    "inventario/producto": ("q", "p", "o", "all", "tienda", "unidad__exact", "is_active__exact", "e"),
    "inventario/inventoryledger": ("q", "p", "o", "tienda", "tipo__exact", "fecha__gte", "fecha__year"),
    "inventario/inventoryledger/exportar": ("q", "tienda", "fecha__gte"),
    "ventas/venta": ("q", "p", "tienda", "cajero", "fecha__gte", "metodo_pago__exact"),
    "ventas/ventafallida": ("q", "p", "tienda", "estado__exact", "registrada__lt"),
    "ventas/ventafallida/descartar/confirmar": ("id",),
    "ventas/ventafallida/%00/confirmar": ("id",),
    "tiendas/membresia": ("q", "tienda__id__exact", "rol__exact", "_facets"),
    "tiendas/tokenterminal": ("q", "terminal__tienda__id__exact"),
    "tiendas/terminal": ("tienda__id__exact", "numero", "nombre__regex"),
    "tiendas/acto": ("q", "tienda", "persona_id", "accion__exact", "fecha__gte"),
    "tiendas/tienda": ("q", "is_active__exact", "epoch"),
    "autocomplete": ("app_label", "model_name", "field_name", "term"),
}


@pytest.mark.parametrize("path", QUERIES)
def test_a_query_of_anybody(path: str, shop: Shop) -> None:
    client = Client(raise_request_exception=False, headers={"Authorization": f"Bearer {shop.token}"})
    for name in QUERIES[path]:
        for value in VALUES:
            answer = client.get(f"{path}?{name}={value}")
            assert answer.status_code < 500, (name, value[:20], answer.content[:200])
    assert client.get(f"{path}?{'&'.join(f'a{number}=1' for number in range(1_001))}").status_code < 500


@pytest.mark.parametrize("path", LISTS)
def test_a_query_of_staff(path: str, world: World) -> None:
    client = world.staff["encargado"] if "tiendas" not in path else world.staff["administrador"]
    for name in LISTS[path]:
        for value in ("%00", *DIGITS, "%FF%FE'"):
            answer = client.get(f"/admin/{path}/?{name}={value}")
            assert answer.status_code < 500, (name, value[:20])
            if answer.streaming:
                b"".join(answer)


def test_an_address_with_anything_in_it(world: World) -> None:
    client = world.staff["superusuario"]
    for value in ("%00", *DIGITS, "-1", "%FF", "..%2f..%2fetc", "１", "_5F"):
        for path in ("tiendas/tienda/{}/change/", "ventas/venta/{}/history/", "auth/user/{}/password/", "r/{}/{}/"):
            for method in ("GET", "POST"):
                answer = client.generic(method, f"/admin/{path.replace('{}', value)}")
                assert answer.status_code < 500, (method, path, value[:20])
        for path in (f"ventas/{value}", f"productos/{value}", f"ventas/{value}/cierre", value):
            assert Client(raise_request_exception=False).get(f"/api/v1/{path}").status_code in {400, 401, 404}, path


def test_the_answer_says_what_is_wrong(shop: Shop) -> None:
    producto = f'"{shop.products[0]}"'
    assert "repite un nombre" in send(shop, broken(producto.strip('"'))["a name twice"]).json()["mensaje"]
    assert re.search(r"línea \d+, columna \d+", send(shop, b"{").json()["mensaje"])
    assert "hasta 1000000" in str(send(shop, cart("-1", producto=producto)).json()["detalles"])
    colons = cart(producto=producto, more=',"vendida":"2026-01-01T10:00:00Z","nota":"a:b"')
    assert "nota" in send(shop, colons).json()["detalles"]  # colons in texts are no name twice


def test_a_password_longer_than_any(world: World) -> None:
    body = {"usuario": "x" * 10, "clave": PASSWORD * 200}
    answer = Client().post("/api/v1/sesion", body, content_type="application/json")
    assert (answer.status_code, answer.json()["codigo"]) == (400, "datos_invalidos")
