"""The network or the server away, windows that crash, two windows, a full disk: nothing is lost, nothing sold twice."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from importlib import import_module
from itertools import pairwise
from uuid import uuid4

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import Error, Route, expect

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Membresia, Rol
from scripts import processes
from scripts.ports import LOOPBACK
from tests.browser.device import (
    CHECKOUT,
    SOON_MS,
    Wire,
    assert_sold_once,
    kept,
    kept_keys,
    printed,
    sell,
    states,
    until,
)
from tests.browser.store import CLAVE, Store
from tests.browser.till_page import TillPage
from tests.pipeline.processes import THREADS, Pipeline
from tests.polling import wait_until
from tests.spawning import READY_S

KEPT_HERE = "Sin conexión · {n} ventas guardadas en esta caja"
IS_FULL = """() => new Promise((done) => {
    const opening = indexedDB.open("caja");
    opening.onsuccess = () => {
        const writing = opening.result.transaction("meta", "readwrite");
        writing.objectStore("meta").put("x".repeat(64), "probe");
        writing.oncomplete = () => { opening.result.close(); done(false); };
        writing.onabort = () => { opening.result.close(); done(true); };
    };
})"""
LINES_KEPT = """() => new Promise((answer) => {
    const opening = indexedDB.open("caja");
    opening.onsuccess = () => {
        const db = opening.result;
        const asked = db.transaction("carritos").objectStore("carritos").getAll();
        asked.onsuccess = () => { db.close(); answer(Math.max(0, ...asked.result.map((cart) => cart.lineas.length))); };
    };
})"""
# By a scanner that is never slow, whatever else the machine does.
SCAN = """(code) => {
    for (const key of [...code, "Enter"]) {
        document.activeElement.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
    }
}"""
NO_DATABASE = """Object.defineProperty(globalThis, "indexedDB", {
    value: {open() { throw new DOMException("The operation is insecure.", "SecurityError"); }},
});"""


@pytest.fixture
def wire(till: TillPage) -> Wire:
    """What the device sends, from all its windows."""
    return Wire(till.context)


def connection(till: TillPage, text: str) -> None:
    expect(till.page.get_by_role("banner").get_by_role("status")).to_contain_text(text, timeout=SOON_MS)


def listens(port: int) -> bool:
    with socket.socket() as other:
        return other.connect_ex((LOOPBACK, port)) == 0


def assert_one_by_one(wire: Wire) -> None:
    """Of what was answered, each key once, and none left before the one before it had its answer."""
    answered = [one for one in wire.sent if one.answered_at is not None]
    assert len({one.key for one in answered}) == len(answered)
    for earlier, later in pairwise(answered):
        assert earlier.answered_at is not None
        assert earlier.answered_at <= later.at


def test_three_sales_without_the_network_and_back(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> None:
    till.wait_for_worker()
    till.go_offline()
    till.page.reload()
    sell(till, store)
    till.page.reload()
    sell(till, store, "refresco")
    sell(till, store, "pan", "leche")
    connection(till, KEPT_HERE.format(n=3))
    states(till, "Guardada", "Guardada", "Guardada")
    assert not store.shop.written()

    till.go_offline(off=False)
    states(till, "Persistida", "Persistida", "Persistida")

    connection(till, "En línea")
    assert_one_by_one(wire)
    assert [one.key for one in wire.sent if one.answered_at is not None] == kept_keys(till)
    assert_sold_once(pipeline, store, till, sales=3)


def test_a_server_that_is_away_and_back(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> None:
    """It dies with a sale on the wire; what is sold meanwhile waits behind that one."""
    port = pipeline.web.port
    pipeline.web.kill()
    sell(till, store)
    sell(till, store, "refresco")
    connection(till, KEPT_HERE.format(n=2))
    till.page.reload()  # from the service worker
    states(till, "Guardada", "Guardada")

    again = pipeline.spawn(processes.web(port=port, blocking_threads=THREADS))
    try:
        wait_until(lambda: listens(port), timeout_s=READY_S, what="web listens again")
        states(till, "Persistida", "Persistida")
        assert_one_by_one(wire)
        assert_sold_once(pipeline, store, till, sales=2)
    finally:
        again.kill()


def test_a_server_that_is_silent_takes_it_late(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> None:
    """The till gives up waiting; then the server takes what lay there, and the copy that the till sends again."""
    pipeline.web.freeze()
    try:
        sell(till, store)
        connection(till, "Sin conexión · 1 venta guardada en esta caja")
    finally:
        pipeline.web.thaw()
    states(till, "Persistida")
    assert len(set(wire.keys)) == 1
    assert len(wire.sent) == 2
    printed(till, 1)
    assert_sold_once(pipeline, store, till, sales=1)


def crash(till: TillPage) -> TillPage:
    """The window's process dies, with all that it had not written. Another window of the device comes in its place."""
    with till.page.expect_event("crash"), pytest.raises(Error):
        till.page.goto("chrome://crash")
    till.page.close()
    after = till.another_window()
    expect(after.box).to_be_visible()
    return after


@pytest.mark.parametrize("moment", ["at once", "on the wire", "taken"])
def test_a_window_that_crashes_while_it_sells(
    moment: str, till: TillPage, store: Store, wire: Wire, pipeline: Pipeline
) -> None:
    seen: list[Route] = []

    def hold(route: Route) -> None:
        if moment == "taken":
            assert route.fetch().status == HTTPStatus.CREATED
        seen.append(route)

    if moment != "at once":
        till.page.route(CHECKOUT, hold)
    till.scan(store.goods["leche"].codigo_barras)
    expect(till.lines).to_have_count(1)
    till.press("F2")
    expect(till.page.get_by_label("Recibido")).to_be_focused()
    till.page.keyboard.press("Enter")
    if moment != "at once":
        until(till, lambda: seen, what="the sale is on the wire")

    after = crash(till)

    expect(after.lines.or_(after.sales).first).to_be_visible()
    if after.lines.count() == 1:  # it had not been taken yet: then it is still in the cart
        assert not kept(after)
        after.press("F2", "Enter")
    states(after, "Persistida")
    expect(after.lines).to_have_count(0)
    assert len(set(wire.keys)) == 1
    assert_sold_once(pipeline, store, after, sales=1)


def test_a_cart_outlives_its_window(till: TillPage, store: Store, pipeline: Pipeline) -> None:
    till.scan(store.goods["leche"].codigo_barras)
    till.scan(store.goods["pan"].codigo_barras)
    expect(till.lines).to_have_count(2)
    until(till, lambda: till.page.evaluate(LINES_KEPT) == 2, what="both lines are on the device")
    after = crash(till)
    expect(after.lines).to_have_count(2)
    after.press("F2", "Enter")
    states(after, "Persistida")
    assert_sold_once(pipeline, store, after, sales=1)


def test_what_was_scanned_for_the_next_customer_outlives_a_reload(
    till: TillPage, store: Store, pipeline: Pipeline
) -> None:
    till.scan(store.goods["leche"].codigo_barras)
    till.press("F2")
    expect(till.page.get_by_label("Recibido")).to_be_focused()
    till.page.evaluate(SCAN, store.goods["refresco"].codigo_barras)
    expect(till.page.get_by_text("Un producto espera a la próxima venta")).to_be_visible()
    till.page.reload()

    expect(till.total).to_contain_text("12.50")  # this customer's alone
    till.press("F2", "Enter")
    expect(till.line("Refresco de cola 600 ml")).to_be_visible()
    till.press("F2", "Enter")
    states(till, "Persistida", "Persistida")
    assert sorted(str(venta.total) for venta in store.shop.ventas()) == ["12.50", "17.00"]
    assert_sold_once(pipeline, store, till, sales=2)


def test_two_windows_sell_without_the_network(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> None:
    other = till.another_window()
    expect(other.box).to_be_visible()
    till.go_offline()
    for window in (till, other):
        window.scan(store.goods["leche"].codigo_barras)
        expect(window.lines).to_have_count(1)  # a cart each
    for window in (till, other):
        window.press("F2", "Enter")
        expect(window.page.get_by_role("region", name="Cobrado")).to_be_visible()
    sell(other, store, "refresco")
    sell(till, store, "pan")
    for window in (till, other):
        connection(window, KEPT_HERE.format(n=4))

    till.go_offline(off=False)

    for window in (till, other):
        states(window, *["Persistida"] * 4)
    assert_one_by_one(wire)
    assert_sold_once(pipeline, store, till, sales=4)


@contextmanager
def full_disk(till: TillPage) -> Iterator[None]:
    """The device keeps nothing more. Chromium asks how much room there is every half minute only: this waits for it."""
    session = till.context.new_cdp_session(till.page)
    origin = till.page.evaluate("location.origin")
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin, "quotaSize": 1})
    wait_until(lambda: till.page.evaluate(IS_FULL), timeout_s=60, what="the disk is full")
    yield
    session.send("Storage.overrideQuotaForOrigin", {"origin": origin})


def test_a_full_disk_sells_nothing_into_nothing(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> None:
    sell(till, store, "refresco")
    states(till, "Persistida")
    with full_disk(till):
        till.scan(store.goods["leche"].codigo_barras)
        expect(till.page.get_by_text("Aparato lleno")).to_be_visible()
        till.press("F2", "Enter")
        expect(till.page.get_by_text("Este aparato está lleno")).to_be_visible()
        expect(till.line("Leche entera 1 L")).to_be_visible()
        assert len(kept(till)) == 1
        assert len(wire.sent) == 1

    till.press("Enter")
    states(till, "Persistida", "Persistida")
    expect(till.page.get_by_text("Aparato lleno")).to_be_hidden()
    assert_sold_once(pipeline, store, till, sales=2)


def test_a_browser_that_keeps_nothing_sells_nothing(till: TillPage) -> None:
    till.context.add_init_script(NO_DATABASE)
    till.page.reload()
    expect(till.page.get_by_role("alert")).to_contain_text("Este navegador no deja guardar nada.")
    expect(till.box).to_be_hidden()


def sign_out(till: TillPage) -> None:
    """Twice: the first time it says what waits."""
    for _ in range(2):
        till.page.get_by_role("button", name="Ajustes").click()
        till.dialog.get_by_role("button", name="Salir").click()
        expect(till.dialog).to_be_hidden()
    expect(till.page.get_by_role("button", name="Entrar")).to_be_visible()


def sign_in_as(till: TillPage, usuario: str) -> None:
    till.page.get_by_label("Usuario", exact=True).fill(usuario)
    till.page.get_by_label("Contraseña", exact=True).fill(CLAVE)
    till.page.get_by_role("button", name="Entrar").click()
    expect(till.box).to_be_visible()


def busy(route: Route) -> None:
    """The server is there, and takes nothing for a while: longer than signing out takes."""
    body = {"codigo": "cola_no_disponible", "mensaje": "más tarde", "detalles": None}
    route.fulfill(status=HTTPStatus.SERVICE_UNAVAILABLE, headers={"Retry-After": "8"}, json=body)


def another_cashier(store: Store) -> str:
    user = User.objects.create_user(f"otra-{uuid4().hex[:12]}", password=CLAVE)
    shops.save_membership(membresia=Membresia(usuario=user, tienda_id=store.shop.tienda_id, rol=Rol.CAJERO))
    return user.username


def test_a_sale_waits_for_who_made_it_or_an_encargado(
    till: TillPage, store: Store, wire: Wire, pipeline: Pipeline
) -> None:
    till.page.route(CHECKOUT, busy)
    sell(till, store)
    states(till, "Guardada")
    connection(till, "Enviando 1 venta")
    sign_out(till)
    till.page.unroute(CHECKOUT)

    sent = len(wire.sent)
    sign_in_as(till, another_cashier(store))
    sell(till, store, "refresco")
    states(till, "Persistida", "Guardada")
    assert len(wire.sent) == sent + 1
    till.sales.last.get_by_role("button").click()
    expect(till.dialog).to_contain_text(f"La hizo {store.usuario()}.")
    till.press("Escape")
    till.page.get_by_role("button", name="Ajustes").click()
    till.dialog.get_by_role("button", name="Salir").click()  # nothing of hers waits
    sign_in_as(till, store.usuario("encargado"))

    states(till, "Persistida", "Persistida")
    assert_sold_once(pipeline, store, till, sales=2)


def end_session(till: TillPage) -> None:
    """As an administrator ends it: the server forgets it, the browser's cookie stays."""
    [cookie] = [found for found in till.context.cookies() if found["name"] == settings.SESSION_COOKIE_NAME]
    import_module(settings.SESSION_ENGINE).SessionStore(session_key=cookie["value"]).delete()


def test_a_session_that_ended_meanwhile_keeps_the_cart(
    till: TillPage, store: Store, wire: Wire, pipeline: Pipeline
) -> None:
    till.go_offline()
    sell(till, store)
    till.scan(store.goods["refresco"].codigo_barras)
    expect(till.lines).to_have_count(1)
    end_session(till)
    till.go_offline(off=False)

    expect(till.dialog).to_contain_text("Tu sesión terminó", timeout=SOON_MS)
    expect(till.dialog.get_by_label("Usuario", exact=True)).to_have_value(store.usuario())
    till.page.keyboard.type(CLAVE)
    till.press("Enter")

    expect(till.dialog).to_be_hidden()
    states(till, "Persistida")
    expect(till.line("Refresco de cola 600 ml")).to_be_visible()
    till.press("F2", "Enter")
    states(till, "Persistida", "Persistida")
    assert_sold_once(pipeline, store, till, sales=2)
