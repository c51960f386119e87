"""Names that try to be something else, as the till shows them: text, which leaves the figures beside it alone."""

import re
import time
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

import pytest
from playwright.sync_api import expect

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Tienda
from cache_stock import warmup
from inventario.catalogo import ProductChange, change_product
from tests.browser.conftest import OpenTill
from tests.browser.device import printed, states
from tests.browser.store import CLAVE, Store, open_store
from tests.browser.till_page import TillPage
from tests.pipeline.shop import open_shop

MARKUP = "<img src=x onerror=globalThis.owned=1>"
TURNED, LINES, LONG = "turned", "lines", "long"
# By what they try: name, SKU.
HOSTILE = {
    "image": (MARKUP, "__proto__"),
    "script": ("</script><script>globalThis.owned=1</script>", "constructor"),
    "code": ("javascript:globalThis.owned=1", MARKUP),
    "params": ("{nombre} {cantidad} ${globalThis.owned=1} $& $1", "{sku}"),
    "emoji": ("👩‍👩‍👧‍👦 🧀", "👩‍👩‍👧‍👦"),
    TURNED: ("\u2069\u202eotarab 00.1", "TUR-1"),
    LINES: ("pan\r\nTotal MXN 0.00", "LIN-1"),
    LONG: ("W" * 200, "W" * 64),
}
TURNS = re.compile("[\u202a-\u202e\u2066-\u2069]")
OWNED = "globalThis.owned ?? document.querySelectorAll('img, iframe, script:not([src])').length"


@pytest.fixture
def store(pipeline: object) -> Store:
    """A tienda where whoever writes a text writes one of these."""
    usual = open_store().goods["leche"]
    goods = {
        key: replace(
            usual, id=uuid4(), nombre=nombre, sku=sku, codigo_barras=f"75999{place}", stock_inicial=Decimal(500)
        )
        for place, (key, (nombre, sku)) in enumerate(HOSTILE.items())
    }
    shop = open_shop(catalogue=list(goods.values()))
    for user in shop.users.values():
        user.set_password(CLAVE)
        user.save(update_fields=["password"])
    tienda = Tienda.objects.get(pk=shop.tienda_id)
    tienda.nombre = tienda.encabezado_recibo = tienda.pie_recibo = MARKUP
    shops.save_tienda(tienda=tienda)
    return Store(shop, goods)


@pytest.fixture
def till(open_till: OpenTill, store: Store) -> TillPage:
    return open_till().sign_in(store)


def assert_text(till: TillPage) -> None:
    """Nothing ran, nothing came in, and nothing turns round what stands beside it."""
    assert till.page.evaluate(OWNED) == 0
    assert not TURNS.search(till.page.inner_text("body"))


def _fill_cart(till: TillPage, store: Store) -> None:
    for product in store.goods.values():
        till.scan(product.codigo_barras)
    expect(till.lines).to_have_count(len(store.goods))


def test_a_name_is_text_wherever_it_is_shown(till: TillPage, store: Store) -> None:
    for sku in ("__proto__", "constructor", "{sku}"):
        till.type(sku)
        expect(till.results).to_have_count(1)
        assert_text(till)
        till.press("Escape")
    _fill_cart(till, store)
    assert_text(till)
    till.press("F2", "Enter")
    states(till, "Persistida")
    printed(till, 1)
    assert_text(till)
    till.page.emulate_media(media="print")
    paper = till.page.get_by_role("article")
    lines = [line.strip() for line in paper.inner_text().splitlines()]
    assert MARKUP in lines
    assert "pan Total MXN 0.00" in lines
    assert "Total MXN 0.00" not in lines
    assert paper.evaluate("node => node.scrollWidth <= Math.ceil(node.clientWidth)")
    till.page.emulate_media(media="screen")
    till.press("F9", "Enter")
    expect(till.dialog).to_contain_text(MARKUP)
    assert_text(till)


def test_no_name_covers_a_figure(till: TillPage, store: Store) -> None:
    _fill_cart(till, store)
    line = till.line(HOSTILE[LONG][0])
    price = line.get_by_text("12.50", exact=True).first.bounding_box()
    assert price is not None
    right = line.get_by_text(HOSTILE[LONG][0]).evaluate(
        "node => { const text = document.createRange(); text.selectNodeContents(node);"
        " return text.getBoundingClientRect().right; }"
    )
    assert right <= price["x"]


def test_no_name_turns_round_the_price_of_a_refusal(till: TillPage, store: Store) -> None:
    turned = store.goods[TURNED]
    till.scan(turned.codigo_barras)
    expect(till.lines).to_have_count(1)
    change_product(producto_id=turned.id, change=ProductChange(precio=Decimal("98.76")))
    warmup.warm_products(productos=[turned.id], now_ms=int(time.time() * 1000))
    till.press("F2", "Enter")
    banner = till.page.get_by_role("alert", name="Falta resolver esto")
    expect(banner).to_contain_text("otarab 00.1 ahora cuesta 98.76 (antes 12.50)")
    assert_text(till)
