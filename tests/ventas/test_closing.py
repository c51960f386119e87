"""POST ventas/{id}/cierre: a refused sale is closed for good, by who may, and no copy of it is ever written."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from blend_pos.tiendas.models import Acto, Rol
from cache_stock import keys, reservation
from cache_stock.scripts import stock_client
from scripts.services import Services
from tests.cache_stock.store import Store
from tests.pipeline.rabbit import VirtualHost
from tests.tiendas.people import PASSWORD, bearer, give_token, hire, open_shop
from tests.ventas.test_admin import failed_sale, held_sale, product_of, write
from ventas import failed_sales
from ventas.messages import read_sale
from ventas.models import EstadoFalla, MotivoFalla, Venta, VentaFallida


@pytest.fixture
def store(host: VirtualHost) -> Store:
    store = Store()
    store.product(stock="5")
    store.warm()
    return store


@pytest.fixture
def supervisor(store: Store) -> User:
    usuario = hire(store.shop, rol=Rol.ENCARGADO)
    usuario.set_password(PASSWORD)
    usuario.save()
    return usuario


def client_of(store: Store, rol: str) -> Client:
    token = give_token(hire(store.shop, rol=rol), store.shop, rol=rol)[1]
    return Client(headers=bearer(token), raise_request_exception=False)


def cart(store: Store, cantidad: float = 99) -> dict[str, Any]:
    total = cantidad * 10
    return {
        "items": [{"producto_id": str(product_of(store)), "cantidad": cantidad, "precio": 10}],
        "pagos": [{"metodo": "TARJETA", "importe": total, "referencia": "A-1"}],
        "vendida": "2026-11-20T10:00:00-06:00",
    }


def close(client: Client, venta_id: UUID, body: dict[str, Any], **more: Any) -> Any:
    asked = {
        **body,
        "rechazo": {"codigo": "stock_insuficiente", "mensaje": "No alcanza."},
        "razon": "se lo llevó el cliente",
        **more,
    }
    return client.post(f"/api/v1/ventas/{venta_id}/cierre", asked, content_type="application/json")


def sell(client: Client, venta_id: UUID, body: dict[str, Any]) -> Any:
    return client.post(
        "/api/v1/ventas/checkout",
        orjson.dumps(body),
        content_type="application/json",
        headers={"Idempotency-Key": str(venta_id)},
    )


def test_it_is_kept_with_who_and_why(store: Store) -> None:
    client, key = client_of(store, Rol.ENCARGADO), uuid4()
    assert sell(client, key, cart(store)).json()["codigo"] == "stock_insuficiente"

    closed = close(client, key, cart(store))

    kept_reason = {"razon": "se lo llevó el cliente"}
    assert (closed.status_code, closed.json()) == (200, {"venta_id": str(key), "estado": "ANULADA", **kept_reason})
    row = VentaFallida.objects.get(tienda=store.tienda_id, venta_id=key)
    assert (row.estado, row.motivo, row.con_reserva) == (EstadoFalla.DESCARTADA, MotivoFalla.RECHAZADA, False)
    assert (row.nota, row.error) == ("se lo llevó el cliente", "stock_insuficiente: No alcanza.")
    assert row.resuelta_por is not None
    act = Acto.objects.get(objeto=f"venta {key}", tienda=store.tienda_id)
    assert (act.accion, act.persona, act.razon) == ("CIERRE", row.resuelta_por.username, "se lo llevó el cliente")
    assert act.detalle["rechazo"] == "stock_insuficiente"
    kept = read_sale(row.mensaje)
    assert (kept.total_centavos, kept.pagos[0].referencia) == (99_000, "A-1")
    assert client.get(f"/api/v1/ventas/{key}").json()["estado"] == "ANULADA"
    store.assert_in_step()


def test_its_key_never_sells_again(store: Store) -> None:
    client, key = client_of(store, Rol.ENCARGADO), uuid4()
    close(client, key, cart(store))

    again = sell(client, key, cart(store, 1))

    assert (again.status_code, again.json()["codigo"]) == (422, "venta_anulada")


def test_closing_again_tells_redis_what_it_was_not_told(store: Store) -> None:
    client, key = client_of(store, Rol.ENCARGADO), uuid4()
    close(client, key, cart(store))
    stock_client().delete(keys.answer(store.tienda_id, key))  # as where it did not answer after the commit

    close(client, key, cart(store))

    assert sell(client, key, cart(store, 1)).json()["codigo"] == "venta_anulada"


def test_a_copy_that_was_under_way_is_not_written(store: Store) -> None:
    sale = held_sale(store, hire(store.shop))
    settled = {"producto_id": str(product_of(store)), "cantidad": 2, "precio": 10}
    client = client_of(store, Rol.ENCARGADO)
    body = {"items": [settled], "metodo_pago": "EFECTIVO"}
    assert close(client, sale.venta_id, body).json()["codigo"] == "venta_existe"  # held: it is on its way

    key = uuid4()
    close(client, key, body)
    late = read_sale(VentaFallida.objects.get(venta_id=key).mensaje)
    write(late)

    row = VentaFallida.objects.get(tienda=store.tienda_id, venta_id=key)
    assert (row.estado, row.motivo) == (EstadoFalla.ABIERTA, MotivoFalla.LAPIDA)
    assert close(client, key, body).json()["codigo"] == "venta_existe"  # it holds nothing, and waits for a manager
    assert not Venta.objects.filter(tienda=store.tienda_id).exists()


def test_not_while_redis_has_lost_what_it_held(store: Store) -> None:
    """The sale may have been promised: its message is on its way, and a cold start waits for it."""
    sale = held_sale(store, hire(store.shop))
    settled = {"producto_id": str(product_of(store)), "cantidad": 2, "precio": 10}
    client = client_of(store, Rol.ENCARGADO)
    stock_client().flushdb()

    answer = close(client, sale.venta_id, {"items": [settled], "metodo_pago": "EFECTIVO"})
    write(sale)

    assert (answer.status_code, answer.json()["codigo"]) == (503, "stock_no_disponible")
    assert Venta.objects.filter(tienda=store.tienda_id, venta_id=sale.venta_id).exists()


def test_again_it_is_closed_once(store: Store) -> None:
    client, key = client_of(store, Rol.ENCARGADO), uuid4()

    answers = [close(client, key, cart(store)).status_code for _ in range(2)]

    assert answers == [200, 200]
    assert VentaFallida.objects.filter(tienda=store.tienda_id).count() == 1


def test_the_reason_that_is_kept_is_said(store: Store) -> None:
    client, key = client_of(store, Rol.ENCARGADO), uuid4()

    said = [close(client, key, cart(store), razon=razon).json()["razon"] for razon in ("  la primera ", "otra")]

    assert said == ["la primera"] * 2
    assert VentaFallida.objects.get(tienda=store.tienda_id).nota == "la primera"


def test_the_reason_of_a_discard_is_the_one_that_is_kept(store: Store) -> None:
    client, waiting, usuario = client_of(store, Rol.ENCARGADO), failed_sale(store, hire(store.shop)), hire(store.shop)
    failed_sales.discard(
        failed_id=waiting.pk, usuario_id=usuario.pk, nota="robo", goods_came_back=True, now=datetime.now(UTC)
    )
    assert waiting.venta_id is not None

    closed = close(client, waiting.venta_id, cart(store), razon="otra")

    assert (closed.status_code, closed.json()["razon"]) == (200, "robo")


def test_what_an_older_release_kept_is_closed_though_it_cannot_be_read(store: Store) -> None:
    client, key = client_of(store, Rol.ENCARGADO), uuid4()
    close(client, key, cart(store), razon="la primera")
    VentaFallida.objects.filter(venta_id=key).update(mensaje={"formato": 0})

    closed = close(client, key, cart(store), razon="otra")

    assert (closed.status_code, closed.json()["razon"]) == (200, "la primera")


def test_what_is_written_or_waits_for_a_manager_cannot_be_closed(store: Store) -> None:
    client = client_of(store, Rol.ENCARGADO)
    body = {"items": [{"producto_id": str(product_of(store)), "cantidad": 2, "precio": 10}], "metodo_pago": "EFECTIVO"}
    waiting = failed_sale(store, hire(store.shop))
    assert waiting.venta_id is not None
    sale = held_sale(store, hire(store.shop))
    write(sale)

    for key in (waiting.venta_id, sale.venta_id):
        refused = close(client, key, body)
        assert (refused.status_code, refused.json()["codigo"]) == (409, "venta_existe")
    assert list(store.journal()) == [waiting.venta_id]  # its hold is kept


def test_what_is_written_is_never_called_closed(store: Store) -> None:
    """A tombstone is one cart's: a late copy of another one under the same key is written."""
    client, sale = client_of(store, Rol.ENCARGADO), held_sale(store, hire(store.shop))
    assert reservation.release(tienda_id=store.tienda_id, venta_id=sale.venta_id, nonce="nonce")
    line = {"producto_id": str(product_of(store)), "cantidad": 3, "precio": 10}
    other = {"items": [line], "metodo_pago": "EFECTIVO"}
    assert close(client, sale.venta_id, other).status_code == HTTPStatus.OK
    write(sale)

    refused = close(client, sale.venta_id, other)

    assert Venta.objects.filter(tienda=store.tienda_id, venta_id=sale.venta_id).exists()
    assert (refused.status_code, refused.json()["codigo"]) == (HTTPStatus.CONFLICT, "venta_existe")


def test_a_cajero_needs_a_supervisor_of_this_tienda(store: Store, supervisor: User) -> None:
    client, key = client_of(store, Rol.CAJERO), uuid4()
    stranger = hire(open_shop(), rol=Rol.ADMINISTRADOR)
    colleague = hire(store.shop)
    for usuario in (stranger, colleague):
        usuario.set_password(PASSWORD)
        usuario.save()

    def with_password(usuario: User, clave: str = PASSWORD) -> tuple[int, str]:
        answer = close(client, key, cart(store), supervisor={"usuario": usuario.username, "clave": clave})
        return answer.status_code, answer.json().get("codigo", answer.json().get("estado"))

    assert close(client, key, cart(store)).json()["codigo"] == "rol_insuficiente"
    assert with_password(stranger) == (401, "credenciales_invalidas")
    assert with_password(colleague) == (401, "credenciales_invalidas")
    assert with_password(supervisor, "no") == (401, "credenciales_invalidas")
    assert not VentaFallida.objects.filter(tienda=store.tienda_id).exists()
    assert with_password(supervisor) == (200, "ANULADA")
    assert VentaFallida.objects.get(tienda=store.tienda_id).resuelta_por == supervisor


def test_a_supervisor_s_password_cannot_be_guessed(store: Store, supervisor: User) -> None:
    client = client_of(store, Rol.CAJERO)
    named = {"usuario": supervisor.username, "clave": "no"}

    statuses = [
        close(client, uuid4(), cart(store), supervisor=named).status_code for _ in range(settings.AXES_FAILURE_LIMIT)
    ]

    assert statuses == [401] * (settings.AXES_FAILURE_LIMIT - 1) + [429]
    right = close(client, uuid4(), cart(store), supervisor={**named, "clave": PASSWORD})
    assert (right.status_code, right.json()["codigo"]) == (429, "cuenta_bloqueada")


def test_a_right_password_of_who_may_not_close_is_not_told_from_a_wrong_one(store: Store) -> None:
    client, stranger = client_of(store, Rol.CAJERO), hire(open_shop(), rol=Rol.ADMINISTRADOR)
    stranger.set_password(PASSWORD)
    stranger.save()

    def guess(clave: str) -> Any:
        return close(client, uuid4(), cart(store), supervisor={"usuario": stranger.username, "clave": clave})

    wrong, right = guess("no"), guess(PASSWORD)

    assert (right.status_code, right.content) == (wrong.status_code, wrong.content)
    for _ in range(settings.AXES_FAILURE_LIMIT - 3):
        assert guess("no").status_code == HTTPStatus.UNAUTHORIZED
    assert guess(PASSWORD).status_code == HTTPStatus.TOO_MANY_REQUESTS, "it forgave nothing"
    acts = Acto.objects.filter(persona=stranger.username).order_by("id").values_list("accion", flat=True)
    assert list(acts) == ["ENTRADA_FALLIDA"] * (settings.AXES_FAILURE_LIMIT - 1) + ["BLOQUEO"]


@pytest.mark.parametrize("missing", ["razon", "rechazo"])
def test_what_it_needs(store: Store, missing: str) -> None:
    body = {**cart(store), "rechazo": {"codigo": "x", "mensaje": "y"}, "razon": "z"}
    del body[missing]

    answer = client_of(store, Rol.ENCARGADO).post(
        f"/api/v1/ventas/{uuid4()}/cierre", body, content_type="application/json"
    )

    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert missing in answer.json()["detalles"]


def test_a_reason_of_nothing_is_none(store: Store) -> None:
    assert close(client_of(store, Rol.ENCARGADO), uuid4(), cart(store), razon="  ").status_code == 400


def test_a_product_that_is_not_there_closes_too(store: Store) -> None:
    body = cart(store)
    body["items"].append({"producto_id": str(uuid4()), "cantidad": 1, "precio": 5})
    body["pagos"][0]["importe"] += 5

    assert close(client_of(store, Rol.ENCARGADO), uuid4(), body).status_code == HTTPStatus.OK


def test_redis_away_closes_nothing(store: Store, services: Services) -> None:
    client = client_of(store, Rol.ENCARGADO)
    assert client.get("/api/v1/ventas").status_code == HTTPStatus.OK
    services.redis.freeze()

    answer = close(client, uuid4(), cart(store))

    assert answer.status_code == HTTPStatus.SERVICE_UNAVAILABLE
    services.redis.thaw()
    assert not VentaFallida.objects.filter(tienda=store.tienda_id).exists()
