"""Products in the admin: what is saved sells at once, and stock moves by movements only."""

import re
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from redis.connection import Connection

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Acto, Membresia, Rol
from cache_stock import reservation
from inventario.models import InventoryLedger, Producto
from scripts.services import Services
from tests.cache_stock.store import Store
from tests.tiendas.confirming import mark_of, post_confirmed
from tests.tiendas.people import hire, sign_in

UNCHECKED = "a box that is not checked is not sent"
LIST = reverse("admin:inventario_producto_changelist")


@pytest.fixture
def manager(store: Store) -> User:
    return hire(store.shop, rol=Rol.ADMINISTRADOR, is_staff=True)


@pytest.fixture
def client(manager: User) -> Client:
    return sign_in(manager)


def product_form(store: Store, **fields: Any) -> dict[str, Any]:
    values: dict[str, Any] = {"tienda": str(store.tienda_id), "sku": f"S-{uuid4().hex[:8]}", "nombre": "Leche"}
    values |= {"codigo_barras": "", "unidad": "UNIDAD", "precio": "10.00", "impuesto": "16.00", "is_active": "on"}
    return values | {"stock_inicial": "0"} | fields


def create(client: Client, store: Store, **fields: Any) -> Producto:
    form = product_form(store, **fields)
    response = client.post(reverse("admin:inventario_producto_add"), form)
    assert response.status_code == 302, errors_of(response)
    return Producto.objects.get(tienda=store.tienda_id, sku=form["sku"])


def change(client: Client, product: Producto, **fields: Any) -> Any:
    form = {name: str(getattr(product, name)) for name in ("sku", "codigo_barras", "nombre", "unidad", "precio")}
    form |= {"impuesto": str(product.impuesto), "is_active": "on"} | fields
    sent = {name: value for name, value in form.items() if value != UNCHECKED}
    return post_confirmed(client, reverse("admin:inventario_producto_change", args=[product.pk]), sent)


def errors_of(response: Any) -> list[str]:
    return re.findall(r'<ul class="errorlist[^"]*"[^>]*>.*?</ul>', response.content.decode(), re.DOTALL)


def move(client: Client, producto: UUID, movimiento: str, cantidad: str, **fields: Any) -> Any:
    form = {"movimiento": movimiento, "cantidad": cantidad, "motivo": "conteo", "operacion": str(uuid4())} | fields
    return post_confirmed(client, reverse("admin:inventario_producto_movimiento", args=[producto]), form)


def test_a_product_made_here_sells_at_once(store: Store, client: Client, manager: User) -> None:
    store.warm()
    product = create(client, store, stock_inicial="2.5", precio="10.50", unidad="KG")
    hold = store.hold({product.pk: 2500}, precio="1050")
    assert hold.products[0].precio_centavos == 1050
    (first,) = InventoryLedger.objects.filter(producto=product)
    assert (first.tipo, str(first.delta), first.usuario) == ("INICIAL", "2.500", manager)


def test_a_price_changed_here_is_sold_at_once(store: Store, client: Client) -> None:
    store.warm()
    product = create(client, store, stock_inicial="5")
    assert change(client, product, precio="12.00").status_code == 302
    with pytest.raises(reservation.PriceDiffers):
        store.hold({product.pk: 1000}, precio="1000")
    assert store.hold({product.pk: 1000}).products[0].precio_centavos == 1200
    assert change(client, product, precio="12.00", is_active=UNCHECKED).status_code == 302
    with pytest.raises(reservation.NotActive):
        store.hold({product.pk: 1000})
    assert Producto.objects.get(pk=product.pk).catalogo_version == 3


def test_only_what_a_person_changed_is_written(store: Store, client: Client) -> None:
    product = create(client, store, precio="10.00")
    page = client.get(reverse("admin:inventario_producto_change", args=[product.pk])).content.decode()
    shown = dict(re.findall(r'<input type="hidden" name="(initial-[a-z_]+)" value="([^"]*)"', page))
    assert (shown["initial-nombre"], Decimal(shown["initial-precio"].replace(",", "."))) == ("Leche", Decimal(10))

    assert change(client, product, nombre="Leche entera").status_code == 302  # another person, meanwhile
    assert change(client, product, precio="3.00", **shown).status_code == 302

    found = Producto.objects.get(pk=product.pk)
    assert (found.nombre, found.precio) == ("Leche entera", Decimal(3))


def test_stock_and_tienda_are_not_editable(store: Store, client: Client) -> None:
    product = create(client, store, stock_inicial="5")
    other = Store()
    response = change(client, product, stock_actual="99", stock_inicial="99", tienda=str(other.tienda_id), version="9")
    assert response.status_code == 302
    found = Producto.objects.get(pk=product.pk)
    assert (found.stock_actual, found.tienda_id, found.version) == (Decimal(5), store.tienda_id, 1)


@pytest.mark.parametrize("name", ["sku", "codigo_barras"])
def test_a_code_that_is_taken_is_said_at_the_form(store: Store, client: Client, name: str) -> None:
    first = create(client, store, sku="A", codigo_barras="750")
    second = create(client, store, sku="B", codigo_barras="751")
    response = client.post(
        reverse("admin:inventario_producto_add"), product_form(store, **{name: getattr(first, name)})
    )
    assert (response.status_code, bool(errors_of(response))) == (200, True)
    response = change(client, second, **{name: getattr(first, name)})
    assert (response.status_code, bool(errors_of(response))) == (200, True)


def test_nothing_is_deleted(store: Store, client: Client) -> None:
    product = create(client, store)
    assert client.post(reverse("admin:inventario_producto_delete", args=[product.pk])).status_code == 403
    assert "delete_selected" not in client.get(LIST).content.decode()


def test_redis_away_loses_no_price(store: Store, client: Client, services: Services) -> None:
    product = create(client, store, stock_inicial="5")
    store.warm()
    store.disarm()  # Redis refuses, as it would after a restart
    response = post_confirmed(
        client,
        reverse("admin:inventario_producto_change", args=[product.pk]),
        product_form(store, sku=product.sku, precio="11.00"),
        follow=True,
    )
    assert "Redis" in response.content.decode()
    assert Producto.objects.get(pk=product.pk).precio == 11


def test_the_list_knows_what_is_available_in_one_round_trip(
    store: Store, client: Client, manager: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Store()
    shops.save_membership(membresia=Membresia(usuario=manager, tienda=other.shop.tienda, rol=Rol.ENCARGADO))
    products = store.products(20, stock="7")
    other.products(3, stock="8")
    store.warm()
    other.warm()
    store.hold({products[0]: 2000})
    trips: list[str] = []
    send: Any = Connection.send_packed_command

    def counted(self: Connection, *args: Any, **kwargs: Any) -> None:
        trips.append(type(self).__name__)
        send(self, *args, **kwargs)

    monkeypatch.setattr(Connection, "send_packed_command", counted)
    page = client.get(LIST).content.decode()

    assert trips.count("StockConnection") == 1
    cells = re.findall(r"field-disponible[^>]*>([^<]*)<", page)
    assert sorted(cells) == ["5.000", *["7.000"] * 19, *["8.000"] * 3]


def test_the_list_costs_the_same_queries_however_long(store: Store, client: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(LIST).status_code == 200
        return len(captured)

    store.products(2)
    few = queries()
    store.products(30)
    assert queries() == few


def test_another_tiendas_products_are_not_there(store: Store, client: Client) -> None:
    other = Store()
    theirs = other.product()
    store.product(nombre="Propio")
    page = client.get(LIST).content.decode()
    assert ("Propio" in page, str(theirs) in page) == (True, False)
    assert move(client, theirs, "entra:COMPRA", "1").status_code == 404
    assert client.get(reverse("admin:inventario_producto_change", args=[theirs])).status_code == 404
    assert (
        client.post(reverse("admin:inventario_producto_add"), product_form(other)).status_code == 200
    )  # a tienda that is no choice


# --- moving stock


@pytest.mark.parametrize(
    ("movimiento", "saldo"),
    [
        ("entra:COMPRA", 6500),
        ("entra:DEVOLUCION", 6500),
        ("entra:AJUSTE", 6500),
        ("sale:AJUSTE", 3500),
        ("sale:DEVOLUCION", 3500),
    ],
)
def test_movements_by_hand(store: Store, client: Client, manager: User, movimiento: str, saldo: int) -> None:
    producto = store.product(stock="5")
    store.warm()
    assert move(client, producto, movimiento, "1.5").status_code == 302
    assert store.available(producto) == saldo
    row = InventoryLedger.objects.get(producto=producto, version=2)
    assert (row.tipo, row.usuario, row.motivo) == (movimiento.split(":")[1], manager, "conteo")
    act = Acto.objects.get(accion="MOVIMIENTO", detalle__operacion=str(row.operacion))
    assert (act.persona_id, act.razon, act.detalle["cantidad"]) == (manager.pk, "conteo", "1.5")
    store.assert_in_step()


def test_a_movement_is_asked_about_and_nothing_moves_before(store: Store, client: Client) -> None:
    producto = store.product(stock="5")
    store.warm()
    address = reverse("admin:inventario_producto_movimiento", args=[producto])
    form = {"movimiento": "entra:COMPRA", "cantidad": "1", "motivo": "F-1", "operacion": str(uuid4())}

    assert client.get(address, form).status_code == 200
    mark = mark_of(client.post(address, form))
    assert mark
    for other in ({"cantidad": "100"}, {"movimiento": "sale:AJUSTE"}, {"motivo": "F-2"}, {"operacion": str(uuid4())}):
        assert mark_of(client.post(address, {**form, **other, "confirmado": mark})) not in {mark, None}

    assert store.available(producto) == 5000
    assert InventoryLedger.objects.filter(producto=producto).count() == 1
    assert not Acto.objects.filter(objeto__startswith=f"producto {producto}").exists()


def test_the_same_form_twice_moves_once(store: Store, client: Client) -> None:
    producto = store.product(stock="5")
    store.warm()
    page = client.get(reverse("admin:inventario_producto_movimiento", args=[producto])).content.decode()
    (operacion,) = re.findall(r'name="operacion" value="([^"]+)"', page)
    for movimiento in ("entra:COMPRA", "entra:COMPRA"):
        assert move(client, producto, movimiento, "1", operacion=operacion).status_code == 302
    response = move(client, producto, "sale:AJUSTE", "1", operacion=operacion)
    assert (response.status_code, bool(errors_of(response))) == (200, True)
    assert store.available(producto) == 6000


def test_more_than_is_available_does_not_go_out(store: Store, client: Client) -> None:
    producto = store.product(stock="5")
    store.warm()
    store.hold({producto: 4000})
    response = move(client, producto, "sale:AJUSTE", "2")
    assert "1.000" in "".join(errors_of(response))
    ordered, refused = Acto.objects.filter(objeto__startswith=f"producto {producto}").order_by("id")
    assert ("rechazado" in ordered.detalle, "1.000" in refused.detalle["rechazado"]) == (False, True)
    assert InventoryLedger.objects.filter(producto=producto).count() == 1


@pytest.mark.parametrize("cantidad", ["0", "-1", "1.0001", "x", "100000000000000"])
def test_quantities_that_make_no_sense(store: Store, client: Client, cantidad: str) -> None:
    producto = store.product(stock="5")
    store.warm()
    response = move(client, producto, "entra:COMPRA", cantidad)
    assert (response.status_code, bool(errors_of(response))) == (200, True)


def test_an_adjustment_says_why(store: Store, client: Client) -> None:
    producto = store.product(stock="5")
    store.warm()
    assert move(client, producto, "entra:AJUSTE", "1", motivo=" ").status_code == 200
    assert store.available(producto) == 5000


def test_an_encargado_moves_stock_and_prices_nothing(store: Store) -> None:
    encargado = sign_in(hire(store.shop, rol=Rol.ENCARGADO, is_staff=True))
    producto = store.product(stock="5")
    store.warm()
    assert move(encargado, producto, "entra:COMPRA", "1").status_code == 302
    assert store.available(producto) == 6000
    product = Producto.objects.get(pk=producto)
    assert change(encargado, product, precio="1.00").status_code == 403
    assert Producto.objects.get(pk=producto).precio == 10
