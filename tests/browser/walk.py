"""Every page and state of the till, one after the other: to be judged by axe, and to be looked at.

It goes by keys and by what the screen is made of, not by its words, so that it walks in every language.
"""

import time
from collections.abc import Iterator
from decimal import Decimal
from importlib import import_module

from django.conf import settings
from playwright.sync_api import Locator, expect

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Membresia, Rol
from cache_stock import warmup
from inventario.catalogo import ProductChange, change_product
from tests.browser.store import CLAVE, Store, open_store
from tests.browser.till_page import TillPage
from tests.pipeline.shop import open_shop

ANSWER_MS = 15_000
BACK_MS = 40_000


def open_walkable() -> Store:
    """A tienda with two tills, whose cashier works in another one as well."""
    store = open_store(terminals=2)
    other = open_shop(products=1)
    shops.save_membership(
        membresia=Membresia(usuario=store.shop.users["cajero"], tienda_id=other.tienda_id, rol=Rol.CAJERO)
    )
    return store


def change_price(store: Store, key: str, precio: str) -> None:
    """As a manager does: the database's price, then the one that a checkout is held against."""
    change_product(producto_id=store.goods[key].id, change=ProductChange(precio=Decimal(precio)))
    warmup.warm_tienda(tienda_id=store.shop.tienda_id, now_ms=int(time.time() * 1000))


def end_session(till: TillPage) -> None:
    """The server forgets who signed in on this device."""
    [key] = [cookie["value"] for cookie in till.context.cookies() if cookie["name"] == settings.SESSION_COOKIE_NAME]
    import_module(settings.SESSION_ENGINE).SessionStore(session_key=key).delete()


def walk(till: TillPage, store: Store) -> Iterator[str]:
    """The name of each state, while it is on the screen."""
    yield from _come_in(till, store)
    yield from _fill_the_cart(till, store)
    yield from _pay(till, store)
    yield from _be_refused(till, store)
    yield from _look_around(till, store)
    yield from _lose_the_network(till, store)
    yield from _lose_the_session(till, store)


def _see(till: TillPage, selector: str, *, timeout: float = ANSWER_MS) -> Locator:
    found = till.page.locator(selector).first
    expect(found).to_be_visible(timeout=timeout)
    return found


def _gone(till: TillPage, selector: str) -> None:
    expect(till.page.locator(selector)).to_have_count(0)


def _close(till: TillPage) -> None:
    till.press("Escape")
    _gone(till, "dialog")


def _come_in(till: TillPage, store: Store) -> Iterator[str]:
    _see(till, ".gate input[type=password]").fill("wrong")
    till.page.locator(".gate input").first.fill(store.usuario())
    till.press("Enter")
    _see(till, ".problem:not(:empty)")
    yield "signing-in"
    _see(till, ".gate input[type=password]").fill(CLAVE)
    till.press("Enter")
    expect(till.page.locator(".choices__one")).to_have_count(2)
    yield "choosing-tienda"
    till.page.locator(".choices__one", has_text=_nombre(store)).click()
    _see(till, ".choices__one:has-text('Caja 1')")
    yield "choosing-terminal"
    till.press("Enter")
    _see(till, ".empty")
    yield "empty"


def _nombre(store: Store) -> str:
    return (
        Membresia.objects.select_related("tienda")
        .get(usuario=store.shop.users["cajero"], tienda_id=store.shop.tienda_id)
        .tienda.nombre
    )


def _fill_the_cart(till: TillPage, store: Store) -> Iterator[str]:
    till.type("de ")
    _see(till, ".result__left--none")
    yield "results"
    till.press("Escape")
    till.type("tomate")
    till.press("Enter")
    till.type("mucho")
    till.press("Enter")
    _see(till, "dialog .problem:not(:empty)")
    yield "weighing"
    till.page.locator("dialog .field__input").fill("1,235")
    till.press("Enter")
    for key in ("leche", "leche", "refresco", "pan", "pan"):
        till.scan(store.goods[key].codigo_barras)
    _see(till, ".line__left")
    yield "selling"
    till.press("Enter")
    _see(till, "dialog[open]")
    yield "quantity"
    _close(till)
    till.press("Delete")
    _see(till, ".notice button")
    yield "removed"


def _pay(till: TillPage, store: Store) -> Iterator[str]:
    till.press("F2")
    till.type("1")
    till.press("Enter")
    _see(till, ".pay .problem:not(:empty)")
    yield "paying-cash"
    till.press("F3", "Enter")
    _see(till, ".pay .problem:not(:empty)")
    yield "paying-card"
    till.press("F4")
    _see(till, ".pay")
    yield "paying-transfer"
    till.press("F6")
    till.type("20")
    till.press("Enter", "F3")
    _see(till, ".part")
    yield "paying-mixed"
    till.press("Escape", "F2")
    till.type("100")
    till.press("Enter")
    _see(till, ".done [data-estado=PERSISTIDA]")
    yield "change"


def _be_refused(till: TillPage, store: Store) -> Iterator[str]:
    till.type("4*")
    till.scan(store.goods["pan"].codigo_barras)
    till.press("F2", "Enter")
    _see(till, ".refused")
    yield "refused"
    till.press("Enter")
    _gone(till, ".refused")
    till.press("F2", "Enter")
    _see(till, ".done [data-estado=PERSISTIDA]")
    till.scan(store.goods["refresco"].codigo_barras)
    change_price(store, "refresco", "18.50")
    till.press("F2", "Enter")
    _see(till, ".refused")
    yield "price-changed"
    till.press("Enter")
    _gone(till, ".refused")


def _look_around(till: TillPage, store: Store) -> Iterator[str]:
    till.press("F7")
    till.scan(store.goods["leche"].codigo_barras)
    _see(till, ".line")
    till.press("F7")
    _see(till, ".empty")
    till.press("F8")
    _see(till, "dialog .parked")
    yield "parked"
    _close(till)
    till.press("F9", "Enter")
    _see(till, "dialog .table")
    yield "sale"
    _close(till)
    till.press("?")
    _see(till, "dialog .keys")
    yield "help"
    _close(till)
    till.page.locator(".top button").nth(-2).click()
    _see(till, "dialog .choice")
    yield "settings"
    _close(till)


def _lose_the_network(till: TillPage, store: Store) -> Iterator[str]:
    till.go_offline()
    for key in ("leche", "pan"):  # of which there is none any more
        till.scan(store.goods[key].codigo_barras)
        _see(till, ".line")
        till.press("F2", "Enter")
        _see(till, ".done")
    expect(till.page.locator("[data-estado=GUARDADA]")).not_to_have_count(0)
    till.scan(store.goods["leche"].codigo_barras)
    _see(till, ".net--off")
    yield "offline"
    till.go_offline(off=False)
    _see(till, ".top .button--bad", timeout=BACK_MS).click()
    _see(till, "dialog .button--bad")
    _close(till)
    yield "one-to-review"
    till.page.locator(".top .button--bad").click()
    _see(till, "dialog .button--bad").click()
    _see(till, "dialog .problem:not(:empty)")
    yield "review"
    _close(till)


def _lose_the_session(till: TillPage, store: Store) -> Iterator[str]:
    end_session(till)
    till.press("F2", "Enter")
    _see(till, "dialog input[type=password]")
    yield "session-ended"
    _close(till)
    _see(till, ".top__ended")
    yield "session-aside"
