"""The ledger in the admin: read, filtered and exported, by those of the tienda; never written."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from blend_pos.tiendas.models import Rol
from inventario import ledger
from inventario.catalogo import NewProduct, create_products
from inventario.csv_export import stream_csv
from inventario.models import InventoryLedger
from tests.tiendas.people import Shop, hire, open_shop, sign_in

LIST = reverse("admin:inventario_inventoryledger_changelist")
EXPORT = reverse("admin:inventario_inventoryledger_exportar")


@pytest.fixture
def shop(live_db: None) -> Shop:
    shop = open_shop("Centro")
    for number, nombre in enumerate(("Leche", "=HYPERLINK(1)", "Jabón, «rosa»")):
        producto = uuid4()
        new = NewProduct(id=producto, sku=f"S-{number}", nombre=nombre, precio=Decimal(1), stock_inicial=Decimal("2.5"))
        create_products(tienda_id=shop.tienda.pk, products=[new], fecha=datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))
        with transaction.atomic():
            ledger.record(
                movements=[
                    ledger.Movement(
                        producto, shop.tienda.pk, "AJUSTE", Decimal("-0.5"), datetime.now(UTC), motivo="+1 -merma"
                    )
                ]
            )
    return shop


@pytest.fixture
def encargado(shop: Shop) -> User:
    return hire(shop, rol=Rol.ENCARGADO, is_staff=True)


def exported(client: Client, query: str = "") -> list[dict[str, str]]:
    response: Any = client.get(EXPORT + query)
    assert (response.status_code, response["Content-Type"]) == (200, "text/csv; charset=utf-8")
    assert response.streaming
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


def test_the_export_is_the_list_as_it_is_filtered(shop: Shop, encargado: User) -> None:
    other = open_shop("Ajena")
    new = NewProduct(id=uuid4(), sku="X", nombre="Ajeno", precio=Decimal(1))
    create_products(tienda_id=other.tienda.pk, products=[new], fecha=datetime.now(UTC))
    client = sign_in(encargado)

    rows = exported(client)
    assert len(rows) == 6
    assert rows[0] == {
        "fecha": "2026-01-01 21:04:05-06:00",
        "tienda": shop.tienda.nombre,
        "SKU": "S-0",
        "producto": "Leche",
        "movimiento": "INICIAL",
        "cantidad": "2.500",
        "saldo": "2.500",
        "versión": "1",
        "venta": "",
        "línea": "",
        "operación": "",
        "motivo": "",
        "usuario": "",
    }
    assert [row["SKU"] for row in exported(client, "?tipo__exact=AJUSTE&q=S-2")] == ["S-2"]
    assert len(exported(client, "?tipo__exact=AJUSTE")) == 3
    assert client.get(EXPORT + "?tipo__exactt=1").status_code == 400


def test_no_text_is_a_formula_and_a_number_stays_one(encargado: User) -> None:
    row = exported(sign_in(encargado), "?tipo__exact=AJUSTE&q=S-1")[0]
    assert (row["producto"], row["motivo"], row["cantidad"]) == ("'=HYPERLINK(1)", "'+1 -merma", "-0.500")


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1"])
def test_every_way_a_formula_begins(text: str) -> None:
    _mark, _header, line = stream_csv(header=["a"], rows=[[text]])
    cell = next(csv.reader(io.StringIO(line, newline="")))[0]
    assert cell.startswith("'")
    assert cell.replace("'", "") == text


def test_the_list_filters_and_searches(encargado: User) -> None:
    client = sign_in(encargado)
    assert client.get(LIST).status_code == 200
    page = client.get(LIST + "?q=Leche").content.decode()
    assert ("S-0" in page, "S-1" in page) == (True, False)
    row = InventoryLedger.objects.filter(producto__tienda__membresias__usuario=encargado).first()
    assert row
    assert client.get(reverse("admin:inventario_inventoryledger_change", args=[row.pk])).status_code == 200


def test_a_products_history_is_asked_for_as_an_index_has_it(shop: Shop, encargado: User) -> None:
    row = InventoryLedger.objects.filter(producto__tienda=shop.tienda).first()
    assert row
    with CaptureQueriesContext(connection) as asked:
        response: Any = sign_in(encargado).get(f"{LIST}?producto__id__exact={row.producto_id}")
    assert [each.version for each in response.context["cl"].result_list] == [2, 1]
    (ordered,) = (one["sql"] for one in asked if '"inventory_ledger"' in one["sql"] and "ORDER BY" in one["sql"])
    order = ordered.split("ORDER BY")[1].split("LIMIT")[0].strip()
    assert order == '"inventory_ledger"."producto_id" ASC, "inventory_ledger"."version" DESC'


def test_nobody_writes_it(shop: Shop) -> None:
    root = User.objects.create(username=f"root-{uuid4().hex}", is_staff=True, is_superuser=True)
    client = sign_in(root)
    row = InventoryLedger.objects.filter(producto__tienda=shop.tienda).first()
    assert row
    change = reverse("admin:inventario_inventoryledger_change", args=[row.pk])
    assert client.post(change, {"delta": "9"}).status_code == 403
    assert client.get(reverse("admin:inventario_inventoryledger_add")).status_code == 403
    assert client.post(reverse("admin:inventario_inventoryledger_delete", args=[row.pk])).status_code == 403
    assert b"delete_selected" not in client.get(LIST).content


def test_a_cashier_and_a_stranger_see_nothing(shop: Shop) -> None:
    cashier = sign_in(hire(shop, rol=Rol.CAJERO, is_staff=True))
    assert cashier.get(LIST).status_code == 403
    assert cashier.get(EXPORT).status_code == 403
    assert Client().get(EXPORT).status_code == 302
    assert exported(sign_in(hire(open_shop(), rol=Rol.ENCARGADO, is_staff=True))) == []
