"""The list of failed sales, what is asked before one is decided on, and what is said when a server is away."""

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from redis.connection import Connection

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Acto, Membresia, Rol, Tienda
from cache_stock import scripts
from cache_stock.scripts import StockError
from inventario.models import InventoryLedger
from tests.pipeline.messages import as_payload, hold
from tests.pipeline.rabbit import VirtualHost
from tests.pipeline.shop import Shop, open_shop
from tests.polling import wait_until
from tests.spawning import Spawner
from tests.tiendas.people import sign_in
from tests.ventas.test_admin_sales import INLINE
from ventas import failed_sales, failed_sales_admin, persistence, recovery
from ventas.messages import read_sale
from ventas.models import EstadoFalla, MotivoFalla, VentaFallida
from ventas.publisher import open_link

LIST = reverse("admin:ventas_ventafallida_changelist")
NOBODY_LISTENS = "amqp://127.0.0.1:9//"


@pytest.fixture
def shop(host: VirtualHost) -> Shop:
    return open_shop(stock=100)


@pytest.fixture
def encargado(shop: Shop) -> Client:
    return staff(shop, Rol.ENCARGADO)


@pytest.fixture
def administrador(shop: Shop) -> Client:
    return staff(shop, Rol.ADMINISTRADOR)


def staff(shop: Shop, rol: str) -> Client:
    usuario = shop.users[rol]
    usuario.is_staff = True
    usuario.save()
    return sign_in(usuario)


def fail(shop: Shop, *, held: bool = True, payload: dict[str, Any] | None = None) -> VentaFallida:
    lines = [(shop.products[0], 2_500), (shop.products[1], 1_000)]
    payload = payload or (hold(shop, lines) if held else as_payload(shop, lines))
    assert recovery.record_failed_sale(sale=read_sale(payload), error="IntegrityError: no", now=timezone.now())
    return VentaFallida.objects.get(tienda=shop.tienda_id, venta_id=payload["venta_id"])


def address(accion: str, *failed: VentaFallida) -> str:
    query = "&".join(f"id={row.pk}" for row in failed)
    return f"{reverse('admin:ventas_ventafallida_confirmar', args=[accion])}?{query}"


def decide(client: Client, accion: str, *failed: VentaFallida, **form: str) -> list[str]:
    """What the page says after it."""
    answer = client.post(address(accion, *failed), form)
    assert answer.status_code == 302, answer.status_code
    return messages_of(client.get(LIST).content.decode())


def messages_of(page: str) -> list[str]:
    return re.findall(r'<li class="(?:success|error|warning|info)">([^<]*)</li>', page)


def estado(failed: VentaFallida) -> str:
    return VentaFallida.objects.values_list("estado", flat=True).get(pk=failed.pk)


def in_list(client: Client, **query: str) -> list[tuple[str, str]]:
    """(venta, whether it is held) of each row, in the page's order."""
    page = client.get(LIST, query).content.decode()
    rows = re.findall(r'field-reserva">([^<]+)<.*?field-venta_id">([^<]+)<', page, re.DOTALL)
    return [(str(venta), held) for held, venta in rows]


# --- reading


def test_open_ones_come_first_and_say_whether_they_are_held(shop: Shop, administrador: Client) -> None:
    first, second, third = fail(shop), fail(shop), fail(shop, held=False)
    decide(administrador, "descartar", second, mercancia="volvio", nota="contado")
    assert in_list(administrador) == [
        (str(third.venta_id), "No"),
        (str(first.venta_id), "Sí"),
        (str(second.venta_id), "No"),
    ]
    assert in_list(administrador, estado__exact="DESCARTADA") == [(str(second.venta_id), "No")]
    assert in_list(administrador, q=str(first.venta_id)) == [(str(first.venta_id), "Sí")]
    assert in_list(administrador, tienda=str(open_shop().tienda_id)) == []


def test_the_code_on_a_receipt_finds_its_failed_sale(shop: Shop, encargado: Client) -> None:
    lines = [(shop.products[0], 1_000)]
    failed = fail(shop, payload=as_payload(shop, lines, venta_id=UUID("019abc00-0000-7000-8000-00abcdefff1f")))
    other = fail(shop, held=False)

    for typed in ("NF6Y-ZZRZ", "NF6YZZRZ", " nf6y-zzrz"):
        assert in_list(encargado, q=typed) == [(str(failed.venta_id), "No")]
    assert in_list(encargado, q=str(other.venta_id)) == [(str(other.venta_id), "No")]
    assert in_list(encargado, q="0000-0000") == []
    assert in_list(staff(open_shop(), Rol.ENCARGADO), q="NF6Y-ZZRZ") == []
    for address in (LIST, reverse("admin:ventas_ventafallida_change", args=[failed.pk])):
        assert "NF6Y-ZZRZ" in encargado.get(address).content.decode()


def test_a_sale_is_shown_with_its_products_by_name(shop: Shop, encargado: Client) -> None:
    failed = fail(shop)
    page = encargado.get(reverse("admin:ventas_ventafallida_change", args=[failed.pk])).content.decode()
    names = dict(shop_names(shop))
    assert failed.mensaje is not None
    for item in failed.mensaje["items"]:
        nombre, sku = names[item["producto_id"]]
        assert f"{nombre} ({sku})" in page
    assert "2.500 ×" in page
    for text in ("IntegrityError: no", "EFECTIVO", shop.users["cajero"].username, "Terminal", ">Sí<"):
        assert text in page, text
    assert address("reintentar", failed) in page
    assert address("descartar", failed) not in page, "that is not an encargado's"
    assert address("descartar", failed) in staff(shop, Rol.ADMINISTRADOR).get(
        reverse("admin:ventas_ventafallida_change", args=[failed.pk])
    ).content.decode().replace("&amp;", "&")


def shop_names(shop: Shop) -> list[tuple[str, tuple[str, str]]]:
    tienda = Tienda.objects.get(pk=shop.tienda_id)
    return [(str(product.pk), (product.nombre, product.sku)) for product in tienda.productos.all()]


def test_what_cannot_be_found_is_shown_by_its_id_and_what_cannot_be_read_as_it_came(shop: Shop) -> None:
    root = sign_in(User.objects.create(username=f"root-{uuid4().hex}", is_staff=True, is_superuser=True))
    foreign = open_shop().products[0]
    odd = fail(shop, payload=as_payload(shop, [(foreign, 1_000)], cajero_id=2**40, terminal_id=uuid4()))
    page = root.get(reverse("admin:ventas_ventafallida_change", args=[odd.pk])).content.decode()
    assert (str(foreign) in page, str(2**40) in page) == (True, True)

    mark = f"<script>{uuid4()}</script>"
    recovery.record_unreadable(bodies=[(mark, "no JSON")], now=timezone.now())
    unreadable = VentaFallida.objects.get(cuerpo=mark)
    change = reverse("admin:ventas_ventafallida_change", args=[unreadable.pk])
    page = root.get(change).content.decode()
    assert (mark in page, mark.replace("<", "&lt;").replace(">", "&gt;") in page) == (False, True)
    assert staff(shop, Rol.ADMINISTRADOR).get(change).status_code == 404, "of no tienda: a superuser's"
    (said,) = decide(root, "reintentar", unreadable)
    assert "no se puede leer" in said
    decide(root, "descartar", unreadable, mercancia="volvio", nota="basura")
    assert estado(unreadable) == EstadoFalla.DESCARTADA


def test_a_page_of_them_is_one_round_trip_to_redis(
    shop: Shop, encargado: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    trips: list[str] = []
    send: Any = Connection.send_packed_command

    def counted(self: Connection, *args: Any, **kwargs: Any) -> None:
        trips.append(type(self).__name__)
        send(self, *args, **kwargs)

    def costs() -> tuple[int, int]:
        trips.clear()
        with CaptureQueriesContext(connection) as captured:
            assert encargado.get(LIST).status_code == 200
        return trips.count("StockConnection"), len(captured)

    monkeypatch.setattr(Connection, "send_packed_command", counted)
    fail(shop)
    few = costs()
    for _ in range(4):
        fail(shop)
    assert costs() == few
    assert few[0] == 1
    assert few[1] <= 12


def test_the_pages_need_nothing_that_the_content_policy_forbids(shop: Shop, administrador: Client) -> None:
    failed = fail(shop)
    change = reverse("admin:ventas_ventafallida_change", args=[failed.pk])
    for page in (LIST, change, address("descartar", failed), address("reintentar", failed)):
        answer = administrador.get(page)
        assert "default-src 'self'" in answer["Content-Security-Policy"]
        assert INLINE.findall(answer.content.decode()) == [], page


# --- deciding


def acts_about(failed: VentaFallida) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What the bitácora has of it: what, who, why, and what else."""
    found = Acto.objects.filter(objeto__startswith=f"ventafallida {failed.pk}:", tienda=failed.tienda).order_by("id")
    return list(found.values_list("accion", "persona", "razon", "detalle"))


def test_a_retry_ends_as_a_written_sale(shop: Shop, encargado: Client, spawn: Spawner) -> None:
    failed = fail(shop)
    said = decide(encargado, "reintentar", failed, nota="ya existe el producto")
    assert said == [f"Venta {failed.venta_id}: en cola otra vez."]
    spawn.worker()
    wait_until(lambda: estado(failed) == EstadoFalla.PERSISTIDA, timeout_s=40, what="the sale is written")
    assert shop.written() == {failed.venta_id: 1}
    shop.settle_down(ventas=1)
    entry = LogEntry.objects.get(object_id=str(failed.pk), content_type__model="ventafallida")
    assert (entry.user, entry.change_message) == (shop.users["encargado"], "reintentada: ya existe el producto")
    assert acts_about(failed) == [("REINTENTAR", shop.users["encargado"].username, "ya existe el producto", {})]
    page = encargado.get(reverse("admin:ventas_ventafallida_change", args=[failed.pk])).content.decode()
    assert "reintentar/confirmar" not in page, "there is nothing left to decide"


def test_it_is_asked_first_and_a_discard_needs_its_reason(shop: Shop, administrador: Client) -> None:
    failed, other = fail(shop), fail(shop)
    form = {"action": "descartar", "_selected_action": [failed.pk, other.pk]}
    asked = administrador.post(LIST, form)["Location"]
    assert asked == address("descartar", other, failed)
    page = administrador.get(asked).content.decode()
    assert (str(failed.venta_id) in page, str(other.venta_id) in page) == (True, True)
    for incomplete in ({"mercancia": "volvio"}, {"nota": "x"}, {"mercancia": "volvio", "nota": "  "}, {}):
        assert "errorlist" in administrador.post(asked, incomplete).content.decode()
    assert [estado(failed), estado(other)] == [EstadoFalla.ABIERTA] * 2
    assert not LogEntry.objects.filter(
        content_type__model="ventafallida", object_id__in=[str(failed.pk), str(other.pk)]
    ).exists()
    assert len(shop.holds()) == 2


def test_one_that_is_refused_stops_no_other_and_all_is_said(shop: Shop, administrador: Client) -> None:
    done, written, third = fail(shop), fail(shop), fail(shop)
    persistence.write(sales=[read_sale(written.mensaje)], now=timezone.now())
    VentaFallida.objects.filter(pk=written.pk).update(estado=EstadoFalla.ABIERTA)
    said = decide(administrador, "descartar", done, written, third, mercancia="no_volvio", nota="robo")
    assert said == [
        f"Venta {done.venta_id}: descartada.",
        f"Venta {written.venta_id}: Esa venta ya está registrada.",
        f"Venta {third.venta_id}: descartada.",
    ]
    recorded = LogEntry.objects.filter(content_type__model="ventafallida", user=shop.users["administrador"])
    assert sorted(recorded.values_list("object_id", "change_message")) == sorted(
        (str(row.pk), "descartada (no_volvio): robo") for row in (done, third)
    )
    who = shop.users["administrador"].username
    assert [acts_about(row) for row in (done, written, third)] == [
        [("DESCARTAR", who, "robo", {"mercancia": "no_volvio"})],
        [],
        [("DESCARTAR", who, "robo", {"mercancia": "no_volvio"})],
    ]


def test_no_adjustment_is_promised_for_what_is_no_sale(shop: Shop, administrador: Client) -> None:
    """It says of no goods what they are: somebody counts, and records it."""
    failed = unreadable(shop)
    (said,) = decide(administrador, "descartar", failed, mercancia="no_volvio", nota="robo")
    assert "registra la salida con un ajuste" in said
    assert (estado(failed), acts_about(failed)) == (EstadoFalla.ABIERTA, [])
    (said,) = decide(administrador, "descartar", failed, mercancia="volvio", nota="prueba")
    assert estado(failed) == EstadoFalla.DESCARTADA


def unreadable(shop: Shop) -> VentaFallida:
    return VentaFallida.objects.create(
        tienda_id=shop.tienda_id,
        huella=uuid4().hex,
        motivo=MotivoFalla.ILEGIBLE,
        cuerpo="no es una venta",
        registrada=timezone.now(),
    )


def test_what_is_no_sale_is_not_offered_to_be_tried_again(shop: Shop, administrador: Client) -> None:
    failed, other, sale = unreadable(shop), unreadable(shop), fail(shop)

    page = administrador.get(reverse("admin:ventas_ventafallida_change", args=[failed.pk])).content.decode()
    assert ("/reintentar/" in page, "/descartar/" in page) == (False, True)
    said = messages_of(administrador.get(address("reintentar", failed, sale)).content.decode())
    assert said == ["Lo que no se puede leer como una venta queda fuera (1): solo se puede descartar."]
    assert len(decide(administrador, "reintentar", failed, other)) == 1
    assert (estado(failed), acts_about(failed)) == (EstadoFalla.ABIERTA, [])


def test_two_that_are_no_sale_are_told_apart(shop: Shop, administrador: Client) -> None:
    failed, other = unreadable(shop), unreadable(shop)
    page = administrador.get(address("descartar", failed, other)).content.decode()
    rows = re.findall(r"<tr><td>(.*?)</tr>", page, re.DOTALL)
    assert [row.partition("<")[0] for row in rows] == [str(failed.pk), str(other.pk)]


def test_what_is_no_sale_is_called_by_its_reason_alone() -> None:
    assert str(VentaFallida(motivo=MotivoFalla.ILEGIBLE)) == "El mensaje no se puede leer"


def test_goods_that_cannot_be_written_off_are_said_and_nothing_changes(shop: Shop, administrador: Client) -> None:
    """The very thing that kept the sale from being written: its product is another tienda's."""
    own = hold(shop, [(shop.products[0], 1_000)])
    foreign = as_payload(shop, [(open_shop().products[0], 1_000)], venta_id=own["venta_id"])
    failed = fail(shop, payload=foreign)
    VentaFallida.objects.filter(pk=failed.pk).update(huella=own["huella"])
    (said,) = decide(administrador, "descartar", failed, mercancia="no_volvio", nota="robo")
    assert "El ajuste de su mercancía no se puede escribir" in said
    assert estado(failed) == EstadoFalla.ABIERTA
    assert not InventoryLedger.objects.filter(operacion=failed.venta_id).exists()
    assert not LogEntry.objects.filter(content_type__model="ventafallida", object_id=str(failed.pk)).exists()


def test_a_broker_that_is_away_is_asked_once_and_the_rest_is_left(
    shop: Shop, encargado: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = [fail(shop) for _ in range(3)]
    monkeypatch.setattr(failed_sales, "_link", open_link(NOBODY_LISTENS))
    said = decide(encargado, "reintentar", *failed)
    assert said == [
        f"Venta {failed[0].venta_id}: La cola no la aceptó. Inténtalo más tarde.",
        "2 más, sin tocar: repítelo luego.",
    ]
    assert [estado(row) for row in failed] == [EstadoFalla.ABIERTA] * 3
    assert len(shop.holds()) == 3
    refused = {"rechazado": "La cola no la aceptó. Inténtalo más tarde."}
    assert [told for _accion, _who, _why, told in acts_about(failed[0])] == [{}, refused]
    assert acts_about(failed[1]) == []
    assert not LogEntry.objects.filter(
        content_type__model="ventafallida", object_id__in=[str(row.pk) for row in failed]
    ).exists()


def test_a_redis_that_is_away_is_said_and_nothing_changes(
    shop: Shop, administrador: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = fail(shop)

    def away(*_arguments: Any, **_options: Any) -> Any:
        raise StockError("connection refused")

    with monkeypatch.context() as broken:
        broken.setattr(scripts, "guarded", away)
        assert in_list(administrador) == [(str(failed.venta_id), "Redis no responde")]
        assert "Redis no responde" in administrador.get(address("reintentar", failed)).content.decode()
        (retried,) = decide(administrador, "reintentar", failed)
        (discarded,) = decide(administrador, "descartar", failed, mercancia="no_volvio", nota="robo")
    assert "no se puede reservar" in retried
    assert "no se puede reservar" in discarded
    assert estado(failed) == EstadoFalla.ABIERTA
    assert in_list(administrador) == [(str(failed.venta_id), "Sí")]


def test_at_most_a_hundred_at_once(shop: Shop, encargado: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failed_sales_admin, "MOST_AT_ONCE", 2)
    failed = [fail(shop) for _ in range(3)]
    said = decide(encargado, "reintentar", *failed)
    assert len(said) == 2
    assert sorted(map(estado, failed)) == [EstadoFalla.ABIERTA, EstadoFalla.REINTENTADA, EstadoFalla.REINTENTADA]
    assert len(VentaFallida.objects.filter(tienda=shop.tienda_id)) == 3


def test_a_role_in_one_tienda_is_none_in_another(shop: Shop) -> None:
    """An encargado here who is administrador there discards there, and only there."""
    other = open_shop()
    usuario = shop.users["encargado"]
    usuario.is_staff = True
    usuario.save()
    shops.save_membership(
        membresia=Membresia(usuario=usuario, tienda=Tienda.objects.get(pk=other.tienda_id), rol=Rol.ADMINISTRADOR)
    )
    client = sign_in(usuario)
    here, there = fail(shop), fail(other)
    both = client.post(address("descartar", here, there), {"mercancia": "volvio", "nota": "x"})
    assert both.status_code == 403
    assert [estado(here), estado(there)] == [EstadoFalla.ABIERTA] * 2
    decide(client, "descartar", there, mercancia="volvio", nota="x")
    decide(client, "reintentar", here)
    assert [estado(here), estado(there)] == [EstadoFalla.REINTENTADA, EstadoFalla.DESCARTADA]


def test_a_forged_request_changes_nothing(shop: Shop) -> None:
    usuario = shop.users["encargado"]
    usuario.is_staff = True
    usuario.save()
    failed = fail(shop)
    client = sign_in(usuario, enforce_csrf_checks=True)
    assert client.post(address("reintentar", failed), {}).status_code == 403
    assert client.get(address("reintentar", failed)).status_code == 200
    assert estado(failed) == EstadoFalla.ABIERTA
