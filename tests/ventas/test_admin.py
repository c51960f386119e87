"""Sales in the admin: read by those of the tienda; failed ones decided on once, by whom it concerns, on the record."""

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from blend_pos.tiendas.models import Rol, Tienda
from cache_stock import reservation
from cache_stock.reservation import format_lines
from inventario.models import InventoryLedger, Producto
from tests.cache_stock.store import Store
from tests.tiendas.people import hire, sign_in
from ventas import persistence, recovery
from ventas.messages import Pedido, SaleMessage, fingerprint, hold_of, read_sale, sale_payload
from ventas.models import EstadoFalla, Venta, VentaFallida

FAILED_LIST = reverse("admin:ventas_ventafallida_changelist")
SALES_LIST = reverse("admin:ventas_venta_changelist")


@pytest.fixture
def store(live_db: None) -> Store:
    store = Store()
    store.product(stock="10")
    store.warm()
    return store


def product_of(store: Store) -> UUID:
    return Producto.objects.values_list("id", flat=True).get(tienda=store.tienda_id)


def held_sale(store: Store, cajero: User) -> SaleMessage:
    """A sale of two units, held in Redis as a checkout holds it."""
    producto, venta_id = product_of(store), uuid4()
    huella = fingerprint(lines=[(producto, 2000)], metodo_pago="EFECTIVO")
    pedido = Pedido(
        datetime.now(UTC).isoformat(), cajero.pk, str(store.shop.terminal.pk), "EFECTIVO", ((str(producto), 2000),)
    )
    held = store.hold({producto: 2000}, venta_id=venta_id, pedido=pedido.encode(), huella=huella)
    assert format_lines(held.products)
    payload, _total = sale_payload(
        tienda_id=store.tienda_id,
        venta_id=venta_id,
        huella=huella,
        epoch=held.epoch,
        pedido=pedido,
        products=held.products,
    )
    return read_sale(payload)


def failed_sale(store: Store, cajero: User) -> VentaFallida:
    sale = held_sale(store, cajero)
    assert recovery.record_failed_sale(sale=sale, error="IntegrityError: no", now=datetime.now(UTC))
    return VentaFallida.objects.get(tienda=store.tienda_id, venta_id=sale.venta_id)


def hold_nothing(store: Store, failed: VentaFallida) -> None:
    """As after a cold start of a sale that no hold was known of."""
    assert failed.venta_id is not None
    settled = [reservation.SettledSale(failed.venta_id, failed.huella)]
    reservation.settle(tienda_id=store.tienda_id, sales=settled, balances=[], answer_ttl_s=60)
    VentaFallida.objects.filter(pk=failed.pk).update(con_reserva=False)


def write(sale: SaleMessage) -> None:
    persistence.settle(written=persistence.write(sales=[sale], now=datetime.now(UTC)))


def confirm(client: Client, accion: str, failed: Iterable[VentaFallida], **form: str) -> Any:
    query = "&".join(f"id={row.pk}" for row in failed)
    return client.post(f"{reverse('admin:ventas_ventafallida_confirmar', args=[accion])}?{query}", form)


def said(client: Client) -> str:
    return str(client.get(FAILED_LIST).content.decode())


def staff(store: Store, rol: str) -> tuple[User, Client]:
    usuario = hire(store.shop, rol=rol, is_staff=True)
    return usuario, sign_in(usuario)


def test_a_failed_sale_is_tried_again_at_the_price_it_was_sold(store: Store) -> None:
    usuario, client = staff(store, Rol.ENCARGADO)
    failed = failed_sale(store, usuario)
    assert store.journal() == {failed.venta_id: float("inf")}
    Producto.objects.filter(pk=product_of(store)).update(precio=Decimal("99.00"))

    asked = client.post(FAILED_LIST, {"action": "reintentar", "_selected_action": [failed.pk]})
    page = client.get(asked["Location"])
    assert str(failed.venta_id) in page.content.decode()
    failed.refresh_from_db()
    assert failed.estado == EstadoFalla.ABIERTA, "asking changes nothing"

    assert confirm(client, "reintentar", [failed]).status_code == 302
    failed.refresh_from_db()
    assert failed.estado == EstadoFalla.REINTENTADA
    assert all(at != float("inf") for at in store.journal().values()), "the sweep looks after it again"
    write(read_sale(failed.mensaje))
    failed.refresh_from_db()
    assert failed.estado == EstadoFalla.PERSISTIDA
    assert Venta.objects.get(venta_id=read_sale(failed.mensaje).venta_id).total == Decimal("20.00")
    store.assert_in_step()
    entry = LogEntry.objects.get(object_id=str(failed.pk), user=usuario)
    assert "reintentada" in entry.change_message


@pytest.mark.parametrize(("mercancia", "left"), [("volvio", "10.000"), ("no_volvio", "8.000")])
def test_a_discarded_sale_leaves_a_tombstone_and_its_stock_right(store: Store, mercancia: str, left: str) -> None:
    usuario, client = staff(store, Rol.ADMINISTRADOR)
    failed = failed_sale(store, usuario)
    without_reason = confirm(client, "descartar", [failed], mercancia=mercancia)
    assert without_reason.status_code == 200, "the form is shown again"
    failed.refresh_from_db()
    assert failed.estado == EstadoFalla.ABIERTA

    confirm(client, "descartar", [failed], mercancia=mercancia, nota="el cliente no esperó")
    failed.refresh_from_db()
    assert (failed.estado, failed.resuelta_por, failed.nota) == (
        EstadoFalla.DESCARTADA,
        usuario,
        "el cliente no esperó",
    )
    assert str(Producto.objects.get(pk=product_of(store)).stock_actual) == left
    store.assert_in_step()
    assert "el cliente no esperó" in LogEntry.objects.get(object_id=str(failed.pk), user=usuario).change_message

    write(read_sale(failed.mensaje))  # a late copy of the message
    failed.refresh_from_db()
    assert failed.estado == EstadoFalla.ABIERTA, "never a silent no-op"
    assert not Venta.objects.filter(venta_id=read_sale(failed.mensaje).venta_id).exists()


def test_a_sale_that_is_written_meanwhile_is_not_discarded(store: Store) -> None:
    usuario, client = staff(store, Rol.ADMINISTRADOR)
    failed = failed_sale(store, usuario)
    write(read_sale(failed.mensaje))
    VentaFallida.objects.filter(pk=failed.pk).update(estado=EstadoFalla.ABIERTA)
    confirm(client, "descartar", [failed], mercancia="no_volvio", nota="x")
    failed.refresh_from_db()
    assert failed.estado == EstadoFalla.ABIERTA
    assert "ya está registrada" in said(client)
    assert not InventoryLedger.objects.filter(operacion=failed.venta_id).exists()
    store.assert_in_step()


def test_deciding_twice_decides_once(store: Store) -> None:
    usuario, client = staff(store, Rol.ADMINISTRADOR)
    failed = failed_sale(store, usuario)
    confirm(client, "descartar", [failed], mercancia="no_volvio", nota="uno")
    confirm(client, "descartar", [failed], mercancia="no_volvio", nota="dos")
    assert "Ya se resolvió" in said(client)
    confirm(client, "reintentar", [failed])
    failed.refresh_from_db()
    assert (failed.estado, failed.nota) == (EstadoFalla.DESCARTADA, "uno")
    assert InventoryLedger.objects.filter(operacion=failed.venta_id).count() == 1
    store.assert_in_step()


def test_stock_that_is_not_there_cannot_be_held_again(store: Store) -> None:
    usuario, client = staff(store, Rol.ENCARGADO)
    failed = failed_sale(store, usuario)
    sale = read_sale(failed.mensaje)
    hold_nothing(store, failed)
    pedido, products = hold_of(sale)
    store.hold({products[0].producto_id: 9500}, pedido=pedido.encode())
    confirm(client, "reintentar", [failed])
    failed.refresh_from_db()
    assert failed.estado == EstadoFalla.ABIERTA
    assert not failed.con_reserva


def test_who_may_what(store: Store) -> None:
    usuario, encargado = staff(store, Rol.ENCARGADO)
    failed = failed_sale(store, usuario)
    other = Store()
    _stranger, stranger = staff(other, Rol.ADMINISTRADOR)
    _cajero, cajero = staff(store, Rol.CAJERO)
    assert confirm(encargado, "descartar", [failed], mercancia="volvio", nota="x").status_code == 403
    assert confirm(stranger, "descartar", [failed], mercancia="volvio", nota="x").status_code == 404
    assert confirm(cajero, "reintentar", [failed]).status_code == 404
    assert cajero.get(FAILED_LIST).status_code == 403
    assert confirm(Client(), "reintentar", [failed])["Location"].startswith("/admin/login/")
    assert confirm(encargado, "borrar", [failed]).status_code == 404
    failed.refresh_from_db()
    assert failed.estado == EstadoFalla.ABIERTA
    assert str(failed.venta_id) not in said(stranger)
    assert str(failed.venta_id) in said(encargado)
    assert ('value="reintentar"' in said(encargado), 'value="descartar"' in said(encargado)) == (True, False)
    assert "delete_selected" not in said(encargado)
    for name in ("ventafallida", "venta"):
        assert encargado.get(reverse(f"admin:ventas_{name}_add")).status_code == 403
    assert encargado.post(reverse("admin:ventas_ventafallida_delete", args=[failed.pk])).status_code == 403


def test_pages_cost_the_same_whatever_they_show(store: Store) -> None:
    usuario, client = staff(store, Rol.ENCARGADO)
    write(held_sale(store, usuario))
    failed = failed_sale(store, usuario)
    counts = []
    for _round in range(2):
        with CaptureQueriesContext(connection) as queries:
            assert client.get(SALES_LIST).status_code == 200
            assert client.get(FAILED_LIST).status_code == 200
        counts.append(len(queries))
        if not counts[1:]:
            write(held_sale(store, usuario))
            failed_sale(store, usuario)
    assert counts[0] == counts[1]
    venta = Venta.objects.filter(tienda=store.tienda_id).first()
    assert venta is not None
    page = client.get(reverse("admin:ventas_venta_change", args=[venta.pk]))
    assert "20" in page.content.decode()
    page = client.get(reverse("admin:ventas_ventafallida_change", args=[failed.pk]))
    assert "reintentar/confirmar" in page.content.decode()
    assert "<script>" not in page.content.decode(), "the CSP forbids it"


def test_a_hold_that_a_cold_start_takes_is_not_recorded(store: Store) -> None:
    """It has raised the epoch, and Redis is still armed with the one before."""
    usuario, client = staff(store, Rol.ENCARGADO)
    failed = failed_sale(store, usuario)
    hold_nothing(store, failed)
    Tienda.objects.filter(pk=store.tienda_id).update(epoch=store.epoch() + 1)

    confirm(client, "reintentar", [failed])

    failed.refresh_from_db()
    assert (failed.estado, failed.con_reserva) == (EstadoFalla.ABIERTA, False)
    assert store.journal() == {}, "and what this try held is given back"
