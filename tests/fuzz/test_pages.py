"""What somebody named, typed or was told is text on every page, never a part of it. Every list answers any query."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import orjson
import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from hypothesis import example, given
from hypothesis import strategies as st

from blend_pos.tiendas.models import Tienda
from cache_stock import keys, scripts
from inventario.models import InventoryLedger, Producto
from tests.fuzz.drawn import TEXTS
from tests.fuzz.effort import as_they_come
from tests.pipeline.messages import as_payload
from tests.pipeline.shop import Shop, open_shop
from tests.tiendas.people import sign_in
from ventas import persistence, recovery
from ventas.closing import Closure, close_unreadable
from ventas.messages import read_sale
from ventas.models import Venta, VentaFallida

HOSTILE = "\"><script>alert(1)</script>{{ request }}{% debug %}'<img src=x onerror=alert(1)>"
MARKUP = re.compile(r"<script>alert|<img src=x", re.IGNORECASE)
OURS = ("tiendas", "inventario", "ventas", "cache_stock", "auth", "django_celery_beat", "axes")
SQL = ["'", "' OR 1=1 --", "1; DROP TABLE ventas", "%", "_", "\\", "%s", "%(x)s", "{0}", "$1", "')) OR (('1'='1"]
NAMES = ["q", "p", "o", "e", "all", "_popup", "_to_field", "_facets", "tienda", "cajero", "usuario", "estado", "motivo",
         "tipo", "fecha__gte", "fecha__range", "tienda__id__exact", "producto__tienda__nombre__regex", "id__in", "id",
         "fecha__year", "rol", "is_active__exact", "terminal__tienda", "password__startswith",
         "_changelist_filters"]  # fmt: skip
VALUES = TEXTS.filter(lambda text: text.isascii() or "\ud800" not in text) | st.sampled_from(
    [*SQL, HOSTILE, "9" * 30, "-1", "2026-13-45", "1,2", "\r\nSet-Cookie: a=b"]
)


@pytest.fixture
def shop(live_db: None) -> Shop:
    """A tienda in which everything that has a name has a hostile one."""
    made = open_shop()
    Tienda.objects.filter(pk=made.tienda_id).update(nombre=HOSTILE, encabezado_recibo=HOSTILE, pie_recibo=HOSTILE)
    Producto.objects.filter(tienda=made.tienda_id).update(nombre=HOSTILE)
    User.objects.filter(pk=made.users["cajero"].pk).update(username=f"{HOSTILE}{uuid4().hex[:8]}", first_name="<b>")
    now = datetime.now(UTC)
    persistence.write(sales=[read_sale(as_payload(made, [(made.products[0], 1_000)]))], now=now)
    recovery.record_failed_sale(sale=read_sale(as_payload(made, [(made.products[0], 1_000)])), error=HOSTILE, now=now)
    closure = Closure(made.users["encargado"].pk, HOSTILE, HOSTILE)
    close_unreadable(tienda_id=made.tienda_id, venta_id=uuid4(), cuerpo=HOSTILE, closure=closure, now=now)
    return made


@pytest.fixture
def owner(shop: Shop) -> Iterator[Client]:
    usuario = User.objects.create(username=f"dueño-{uuid4().hex[:8]}", is_staff=True, is_superuser=True)
    client = sign_in(usuario)
    yield client
    client.session.flush()


def lists() -> list[str]:
    """The address of every list of the admin."""
    models = [model._meta for model in admin.site._registry if model._meta.app_label in OURS]
    return sorted(reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist") for meta in models)


def pages(shop: Shop) -> list[str]:
    """Every list, and the page of each row that says something hostile."""
    rows: list[Any] = [
        Tienda.objects.get(pk=shop.tienda_id),
        *Producto.objects.filter(tienda=shop.tienda_id)[:1],
        *Venta.objects.filter(tienda=shop.tienda_id),
        *VentaFallida.objects.filter(tienda=shop.tienda_id),
        *InventoryLedger.objects.filter(producto__tienda=shop.tienda_id)[:1],
        shop.users["cajero"],
    ]
    changes = [reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]) for row in rows]
    failed = VentaFallida.objects.filter(tienda=shop.tienda_id).first()
    assert failed is not None
    asking = f"{reverse('admin:ventas_ventafallida_confirmar', args=['descartar'])}?id={failed.pk}"
    return [*lists(), *changes, asking, reverse("cuenta"), "/caja/"]


def test_a_hostile_name_is_text_on_every_page(shop: Shop, owner: Client) -> None:
    shown = 0
    for address in pages(shop):
        page = owner.get(address)
        assert page.status_code == 200, address
        text = page.content.decode()
        assert not MARKUP.search(text), address
        shown += "&lt;script&gt;alert(1)" in text
        assert "SET-COOKIE" not in page.headers
    assert shown >= 8


def test_a_hostile_name_is_json_in_the_api(shop: Shop) -> None:
    client = sign_in(shop.users["cajero"])
    for address in ("/api/v1/sesion", "/api/v1/productos"):
        answer = client.get(address)
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert orjson.dumps(HOSTILE)[1:-1] in answer.content


def test_every_list_answers_any_query(shop: Shop, owner: Client) -> None:
    tables = _counts()
    export = reverse("admin:inventario_inventoryledger_exportar")

    @as_they_come(40)
    @given(st.sampled_from([*lists(), export]), st.dictionaries(st.sampled_from(NAMES), VALUES, min_size=1, max_size=3))
    @example(reverse("admin:ventas_venta_changelist"), {"cajero": "9" * 30})
    @example(reverse("admin:ventas_venta_changelist"), {"cajero": "9" * 5_000})
    @example(reverse("admin:ventas_venta_changelist"), {"q": "9" * 5_000})
    @example(reverse("admin:ventas_venta_changelist"), {"q": "\x00"})
    @example(reverse("admin:inventario_producto_changelist"), {"q": "\x00"})
    @example(reverse("admin:inventario_inventoryledger_changelist"), {"q": "\x00"})
    @example(reverse("admin:ventas_ventafallida_changelist"), {"motivo": "\x00"})
    @example(reverse("admin:ventas_ventafallida_changelist"), {"tienda": "\x00"})
    def ask(address: str, query: dict[str, str]) -> None:
        answer = owner.get(f"{address}?{urlencode(query, errors='replace')}")
        assert answer.status_code in {200, 302, 400}, (address, query)
        assert "Set-Cookie: a=b" not in str(answer.headers)

    ask()
    assert _counts() == tables


def test_every_query_of_the_api_is_answered(shop: Shop) -> None:
    client = sign_in(shop.users["administrador"])
    tables = _counts()

    @as_they_come(40)
    @given(
        st.sampled_from(["productos", "ventas", "productos/disponible"]),
        st.dictionaries(st.sampled_from(["q", "desde", "pagina", "limite", "cursor", "id"]), VALUES, max_size=3),
    )
    def ask(path: str, query: dict[str, str]) -> None:
        answer = client.get(f"/api/v1/{path}?{urlencode(query, errors='replace')}")
        assert answer.status_code in {200, 400, 404}, (path, query)
        assert answer.status_code == 200 or set(answer.json()) == {"codigo", "mensaje", "detalles"}

    ask()
    assert _counts() == tables


def _counts() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT (SELECT count(*) FROM ventas), (SELECT count(*) FROM productos)")
        return list(cursor.fetchone())


def test_no_name_leads_out_of_its_key(shop: Shop) -> None:
    """Every key is made of UUIDs: whatever else a request says reaches Lua as a value, and is kept as it was sent."""
    hostile = "}:x\r\nFLUSHALL\r\n{" + "x" * 100_000 + "\x00' .. redis.call('FLUSHALL') .. '"
    scripts.set_field(key=keys.meta(shop.tienda_id), field=hostile, value=hostile)
    assert scripts.fields(key=keys.meta(shop.tienda_id), names=[hostile]) == [hostile]
    scripts.delete_field(key=keys.meta(shop.tienda_id), field=hostile)
    assert shop.is_armed()
