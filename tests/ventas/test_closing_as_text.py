"""POST ventas/{id}/cierre of what the server refuses to read as a sale: closed all the same, and kept as text."""

import hashlib
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import orjson
import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from blend_pos.tiendas.models import Rol
from cache_stock import keys, reservation
from cache_stock.scripts import stock_client
from tests.cache_stock.store import Store
from tests.pipeline.rabbit import VirtualHost
from tests.tiendas.people import hire, sign_in
from tests.ventas.test_admin import failed_sale, held_sale, write
from tests.ventas.test_closing import cart, client_of, close, sell
from ventas import cold_start, failed_sales, recovery
from ventas.models import EstadoFalla, MotivoFalla, VentaFallida


@pytest.fixture
def store(host: VirtualHost) -> Store:
    store = Store()
    store.product(stock="6")
    store.warm()
    return store


UNREADABLE = {
    "no lines": {"items": []},
    "no lines at all": {"items": None},
    "cash above the bound": {"pagos": [{"metodo": "EFECTIVO", "importe": 990, "recibido": 2_000_000_000}]},
    "a no-break space": {"pagos": [{"metodo": "TARJETA", "importe": 990, "referencia": "A\u00a01"}]},
    "what adds up to nothing": {"pagos": [{"metodo": "TARJETA", "importe": 1e300}], "items": [1e16, "ñ", None]},
}


@pytest.mark.parametrize("refused", UNREADABLE.values(), ids=UNREADABLE)
def test_what_the_server_refuses_to_read_is_closed_as_text(store: Store, refused: dict[str, Any]) -> None:
    client, key = client_of(store, Rol.ENCARGADO), uuid4()
    body = {**cart(store), **refused}
    answer = sell(client, key, body).json()
    assert answer["codigo"] == "datos_invalidos"

    closed = close(client, key, body, rechazo={"codigo": answer["codigo"], "mensaje": answer["mensaje"]})

    assert closed.status_code == HTTPStatus.OK, closed.json()
    row = VentaFallida.objects.get(tienda=store.tienda_id, venta_id=key)
    assert (row.estado, row.motivo, row.con_reserva) == (EstadoFalla.DESCARTADA, MotivoFalla.RECHAZADA, False)
    assert (row.nota, row.error) == ("se lo llevó el cliente", f"datos_invalidos: {answer['mensaje']}")
    assert row.resuelta_por is not None
    assert (row.mensaje, orjson.loads(row.cuerpo)) == (None, body)
    assert row.huella == hashlib.sha256(row.cuerpo.encode()).hexdigest()
    assert sell(client, key, cart(store, 1)).json()["codigo"] == "venta_anulada"
    shown = client.get(f"/api/v1/ventas/{key}").json()
    assert (shown["estado"], shown["total"], shown["detalles"]) == ("ANULADA", None, [])
    store.assert_in_step()


def test_what_cannot_be_read_is_closed_once_and_by_who_may(store: Store) -> None:
    client, key, body = client_of(store, Rol.ENCARGADO), uuid4(), {**cart(store), "items": []}
    assert close(client_of(store, Rol.CAJERO), key, body).json()["codigo"] == "rol_insuficiente"
    assert not VentaFallida.objects.filter(tienda=store.tienda_id).exists()

    close(client, key, body)
    stock_client().delete(keys.answer(store.tienda_id, key))  # as where it did not answer after the commit
    again = [close(client, key, sent, razon="otra") for sent in (body, {**body, "vendida": None}, cart(store))]

    assert [(each.status_code, each.json()["razon"]) for each in again] == [(200, "se lo llevó el cliente")] * 3
    assert VentaFallida.objects.get(tienda=store.tienda_id).mensaje is None
    assert sell(client, key, cart(store, 1)).json()["codigo"] == "venta_anulada"


def test_a_readable_sale_that_is_closed_stays_closed_as_it_was(store: Store) -> None:
    client, key = client_of(store, Rol.ENCARGADO), uuid4()

    answers = [close(client, key, body).status_code for body in (cart(store), {**cart(store), "items": []})]

    assert answers == [HTTPStatus.OK] * 2
    assert VentaFallida.objects.get(tienda=store.tienda_id).cuerpo == ""


def test_a_cart_that_cannot_be_read_does_not_close_what_exists(store: Store) -> None:
    client, body = client_of(store, Rol.ENCARGADO), {**cart(store), "items": []}
    waiting = failed_sale(store, hire(store.shop))
    assert waiting.venta_id is not None
    written = held_sale(store, hire(store.shop))
    write(written)
    held = held_sale(store, hire(store.shop))

    for key in (waiting.venta_id, held.venta_id, written.venta_id):
        refused = close(client, key, body)
        assert (refused.status_code, refused.json()["codigo"]) == (409, "venta_existe")
    assert set(store.journal()) == {waiting.venta_id, held.venta_id}
    assert list(VentaFallida.objects.filter(tienda=store.tienda_id)) == [waiting]


def test_a_late_sale_under_the_key_of_a_cart_that_cannot_be_read_is_written(store: Store) -> None:
    """The tombstone is that cart's, and nothing that can be written is; its sale's answer counts from then on."""
    client, sale = client_of(store, Rol.ENCARGADO), held_sale(store, hire(store.shop))
    assert reservation.release(tienda_id=store.tienda_id, venta_id=sale.venta_id, nonce="nonce")
    body = {**cart(store), "items": []}
    assert close(client, sale.venta_id, body).status_code == HTTPStatus.OK
    write(sale)

    assert close(client, sale.venta_id, body).json()["codigo"] == "venta_existe"
    assert client.get(f"/api/v1/ventas/{sale.venta_id}").json()["estado"] == "PERSISTIDA"


def test_whoever_goes_through_failed_sales_copes_with_one_of_no_message(store: Store) -> None:
    client, key = client_of(store, Rol.ENCARGADO), uuid4()
    close(client, key, {**cart(store), "items": []})
    row = VentaFallida.objects.get(tienda=store.tienda_id)
    root = sign_in(User.objects.create(username=f"root-{uuid4().hex}", is_staff=True, is_superuser=True))

    assert recovery.settle_discarded(tiendas=[store.tienda_id]) == 0
    assert [(each.venta_id, each.answer) for each in cold_start.answers(store.tienda_id)] == [(key, recovery.ANNULLED)]
    assert cold_start.failed_holds(store.tienda_id) == []
    with pytest.raises(failed_sales.NotOpen):
        failed_sales.retry(failed_id=row.pk, now=datetime.now(UTC))
    with pytest.raises(failed_sales.NotOpen):
        failed_sales.discard(failed_id=row.pk, usuario_id=1, nota="x", goods_came_back=True, now=datetime.now(UTC))
    listed = root.get(reverse("admin:ventas_ventafallida_changelist"), {"tienda": str(store.tienda_id)})
    assert str(key) in listed.content.decode()
    page = root.get(reverse("admin:ventas_ventafallida_change", args=[row.pk])).content.decode()
    assert ("&quot;items&quot;:[]" in page, "reintentar/confirmar" in page) == (True, False)
