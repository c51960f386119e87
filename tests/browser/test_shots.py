"""The pictures in docs/till, from the demonstration's products: `make shots` keeps them there."""

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Tienda
from tests.browser.conftest import OpenTill
from tests.browser.device import printed, states
from tests.browser.store import CLAVE, Store
from tests.browser.till_page import TillPage
from tests.pipeline.shop import open_shop
from ventas import demo

MOST_BYTES = 150_000
CAJERA = "Ana"
FEW = {"PAN-005": Decimal(5), "LAC-008": Decimal(0)}


def _open_demo() -> Store:
    """The demonstration's shop, with products of its own, of which some are few; Ana sells there."""
    goods = {
        row.sku: replace(row, id=uuid4(), stock_inicial=FEW.get(row.sku, row.stock_inicial))
        for row in demo.read_catalogue()
    }
    shop = open_shop(catalogue=list(goods.values()), terminals=2)
    tienda = Tienda.objects.get(pk=shop.tienda_id)
    tienda.nombre, tienda.encabezado_recibo, tienda.pie_recibo = demo.TIENDA_NOMBRE, demo.ENCABEZADO, demo.PIE
    shops.save_tienda(tienda=tienda)
    User.objects.filter(username=CAJERA).update(username=uuid4().hex)  # an earlier run's, whose rows stay
    cajera = shop.users["cajero"]
    cajera.username = CAJERA
    cajera.set_password(CLAVE)
    cajera.save()
    return Store(shop, goods)


def _keep(till: TillPage, name: str) -> None:
    assert till.photograph(name).stat().st_size < MOST_BYTES


def _scan(till: TillPage, store: Store, *skus: str) -> None:
    for sku in skus:
        till.scan(store.goods[sku].codigo_barras)
        expect(till.line(store.goods[sku].nombre)).to_be_visible()


def _weigh(till: TillPage, store: Store, sku: str, weight: str) -> None:
    till.type(sku)
    till.press("Enter")
    till.type(weight)
    till.press("Enter")
    expect(till.line(store.goods[sku].nombre)).to_be_visible()


def _sell_before(till: TillPage, store: Store) -> None:
    for skus, given in ((("LAC-001", "PAN-001"), "100"), (("LAC-018",), "50"), (("PAN-003", "PAN-003"), "")):
        _scan(till, store, *skus)
        till.press("F2")
        till.type(given)
        till.press("Enter")
        expect(till.page.get_by_role("region", name="Cobrado")).to_contain_text("Persistida", timeout=15_000)


def _fill(till: TillPage, store: Store) -> None:
    weighed = [row.sku for row in store.goods.values() if row.unidad == "KG"]
    _scan(till, store, "LAC-001", "LAC-001", "BEB-006")
    _weigh(till, store, weighed[0], "1,235")
    till.type("6*")
    _scan(till, store, "PAN-003")
    _weigh(till, store, weighed[1], "0,480")
    _scan(till, store, "PAN-005", "PAN-005")
    expect(till.lines.last).to_contain_text("quedan 5")


@pytest.mark.timeout(180)
def test_pictures(open_till: OpenTill, pipeline: object) -> None:
    store = _open_demo()
    till = open_till().sign_in(store, terminal=2)
    _sell_before(till, store)
    _scan(till, store, "LAC-006")
    till.press("F7")
    _fill(till, store)
    _keep(till, "selling")
    till.page.emulate_media(color_scheme="dark")
    _keep(till, "dark")
    till.page.emulate_media(color_scheme="light")
    till.press("F2")
    till.type("500")
    _keep(till, "paying")
    till.press("Enter")
    states(till, "Persistida", "Persistida", "Persistida", "Persistida")
    printed(till, 4)
    _keep_receipt(till)
    till.type("8*")
    _scan(till, store, "PAN-005", "LAC-002")
    till.press("F2", "Enter")
    expect(till.page.get_by_role("alert", name="Falta resolver esto")).to_be_visible()
    _keep(till, "refused")
    till.press("Enter", "F7")
    till.go_offline()
    for sku in ("LAC-004", "BEB-006", "LAC-015"):
        _scan(till, store, sku)
        till.press("F2", "Enter")
        expect(till.page.get_by_role("region", name="Cobrado")).to_be_visible()
    _scan(till, store, "BEB-009", "PAN-004")
    expect(till.page.get_by_text("3 ventas guardadas en esta caja")).to_be_visible()
    _keep(till, "offline")


def _keep_receipt(till: TillPage) -> None:
    """The paper, twice as large as a screen shows it."""
    till.page.emulate_media(media="print")
    paper = till.page.get_by_role("article")
    paper.evaluate("paper => { paper.style.zoom = 2; paper.style.padding = '4mm'; paper.style.width = '80mm'; }")
    path = till.photograph("receipt")
    paper.screenshot(path=path, animations="disabled")
    assert path.stat().st_size < MOST_BYTES
    paper.evaluate("paper => paper.removeAttribute('style')")
    till.page.emulate_media(media="screen")
