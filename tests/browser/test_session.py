"""Who is at the till: coming in, where, being locked out, a session that ends under a full cart, going out."""

import pytest
from playwright.sync_api import Locator, expect

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Membresia, Rol, Tienda
from tests.browser.books import Books, cash
from tests.browser.conftest import OpenTill
from tests.browser.device import sell, states
from tests.browser.store import CLAVE, Store, open_store
from tests.browser.till_page import TillPage
from tests.browser.walk import end_session
from tests.pipeline.processes import Pipeline
from tests.pipeline.till import Till

MOST_GUESSES = 10


def _enter(till: TillPage, nombre: str, clave: str) -> None:
    till.page.get_by_label("Usuario", exact=True).fill(nombre)
    till.page.get_by_label("Contraseña", exact=True).fill(clave)
    till.press("Enter")


def _choice(till: TillPage, nombre: str) -> Locator:
    return till.page.get_by_role("button", name=nombre, exact=True)


def _problem(till: TillPage) -> Locator:
    return till.page.get_by_role("alert")


def _place(till: TillPage) -> Locator:
    return till.page.get_by_role("banner").get_by_role("paragraph").first


def _ended(till: TillPage) -> Locator:
    return till.page.get_by_role("dialog", name="Tu sesión terminó")


def _nombre(store: Store) -> str:
    return Tienda.objects.get(pk=store.shop.tienda_id).nombre


def _leave(till: TillPage) -> None:
    till.page.get_by_role("button", name="Ajustes").click()
    till.dialog.get_by_role("button", name="Salir").click()


def test_a_wrong_password_and_then_the_right_one(open_till: OpenTill, store: Store) -> None:
    till = open_till()
    expect(till.page.get_by_label("Usuario", exact=True)).to_be_focused()
    till.press("Enter")
    expect(_problem(till)).to_have_text("Escribe tu nombre y tu contraseña.")
    _enter(till, store.usuario(), "mañana-a-las-ocho")
    expect(_problem(till)).to_contain_text("El nombre o la contraseña no son correctos.")
    expect(till.page.get_by_label("Contraseña", exact=True)).to_have_value("")
    till.sign_in(store)
    expect(till.box).to_be_focused()
    expect(_place(till)).to_have_text(f"{_nombre(store)} · Caja 1 · {store.usuario()}")


def test_who_guesses_is_locked_out_of_this_tienda_alone(open_till: OpenTill, pipeline: Pipeline) -> None:
    """Out of guesses at one tienda's device, and told for how long; the same person comes in at another tienda's."""
    here, there = open_store(), open_store()
    shops.save_membership(
        membresia=Membresia(usuario=here.shop.users["cajero"], tienda_id=there.shop.tienda_id, rol=Rol.CAJERO)
    )
    till = open_till()
    _enter(till, here.usuario(), CLAVE)
    _choice(till, _nombre(here)).click()
    expect(till.box).to_be_visible()
    _leave(till)
    expect(_choice(till, "Entrar")).to_be_visible()
    guesses = Till(pipeline.web.url)
    csrf = guesses.get("sesion").headers["set-cookie"].split("csrftoken=")[1].split(";")[0]
    guesses.headers = {"Cookie": f"csrftoken={csrf}", "X-CSRFToken": csrf}
    guess = {"usuario": here.usuario(), "clave": "no", "tienda_id": str(here.shop.tienda_id)}
    for _guess in range(MOST_GUESSES - 1):
        assert guesses.call("POST", "sesion", body=guess).status == 401
    _enter(till, here.usuario(), "no")
    expect(_problem(till)).to_contain_text("Demasiados intentos. Espera 15 minutos")
    _enter(till, here.usuario(), CLAVE)
    expect(_problem(till)).to_contain_text("Demasiados intentos")
    other = open_till()
    _enter(other, there.usuario(), CLAVE)
    expect(other.box).to_be_visible()
    _leave(other)
    _enter(other, here.usuario(), CLAVE)
    expect(other.box).to_be_visible()
    expect(_place(other)).to_contain_text(_nombre(there))


def test_the_tienda_and_the_terminal_are_chosen_once(open_till: OpenTill, pipeline: Pipeline) -> None:
    store, other = open_store(terminals=2), open_store()
    shops.save_membership(
        membresia=Membresia(usuario=store.shop.users["cajero"], tienda_id=other.shop.tienda_id, rol=Rol.CAJERO)
    )
    till = open_till()
    _enter(till, store.usuario(), CLAVE)
    expect(till.page.get_by_text("¿En qué tienda?")).to_be_visible()
    for nombre in sorted((_nombre(store), _nombre(other))):
        expect(_choice(till, nombre)).to_be_visible()
    while not _choice(till, _nombre(store)).evaluate("button => button === document.activeElement"):
        till.press("ArrowDown")
    till.press("Enter")
    expect(till.page.get_by_text("¿En qué caja?")).to_be_visible()
    expect(_choice(till, "Caja 1")).to_be_focused()
    till.press("ArrowDown", "Enter")
    expect(_place(till)).to_have_text(f"{_nombre(store)} · Terminal 2 · {store.usuario()}")
    till.page.reload()
    expect(_place(till)).to_contain_text("Terminal 2")
    _leave(till)
    _enter(till, store.usuario("encargado"), CLAVE)
    expect(_place(till)).to_have_text(f"{_nombre(store)} · Terminal 2 · {store.usuario('encargado')}")
    till.page.get_by_role("button", name="Ajustes").click()
    till.dialog.get_by_role("button", name="Cambiar de caja").click()
    _choice(till, "Caja 1").click()
    expect(_place(till)).to_contain_text("Caja 1")


def test_who_belongs_nowhere_is_told(open_till: OpenTill, store: Store) -> None:
    shops.remove_membership(
        membresia=Membresia.objects.get(usuario=store.shop.users["cajero"], tienda_id=store.shop.tienda_id)
    )
    till = open_till()
    _enter(till, store.usuario(), CLAVE)
    expect(_problem(till)).to_contain_text("Todavía no perteneces a ninguna tienda.")
    _choice(till, "Salir").click()
    expect(till.page.get_by_label("Usuario", exact=True)).to_be_focused()


def test_a_session_that_ends_loses_neither_cart_nor_sales(till: TillPage, store: Store, pipeline: Pipeline) -> None:
    books = Books(store)
    end_session(till)
    till.scan(store.goods["leche"].codigo_barras)
    till.press("F2", "Enter")
    expect(_ended(till)).to_be_visible()
    books.add([("leche", "1")], cash("12.50", "12.50"))
    till.press("Escape")
    expect(_ended(till)).to_be_hidden()
    expect(till.box).to_be_focused()
    sell(till, store, "refresco")
    books.add([("refresco", "1")], cash("17.00", "17.00"))
    till.scan(store.goods["pan"].codigo_barras)
    states(till, "Guardada", "Guardada")
    assert store.shop.ventas() == []
    till.page.get_by_role("button", name="La sesión terminó · Entrar").click()
    expect(_ended(till).get_by_label("Usuario", exact=True)).to_have_value(store.usuario())
    expect(_ended(till).get_by_label("Contraseña", exact=True)).to_be_focused()
    till.type(CLAVE)
    till.press("Enter")
    expect(_ended(till)).to_be_hidden()
    states(till, "Persistida", "Persistida")
    expect(till.line("Pan de molde")).to_be_visible()
    expect(till.box).to_be_focused()
    books.assert_kept(pipeline)


def test_another_persons_sales_wait_for_them_or_for_a_manager(till: TillPage, store: Store, pipeline: Pipeline) -> None:
    """A second cashier comes in where the first one's session ended: nothing is sold in another person's name."""
    ana, ben = store.shop.users["cajero"], store.shop.users["encargado"]
    books = Books(store)
    cajero = Membresia.objects.get(usuario=ben, tienda_id=store.shop.tienda_id)
    cajero.rol = Rol.CAJERO
    shops.save_membership(membresia=cajero)
    end_session(till)
    sell(till, store, "leche")
    expect(_ended(till)).to_be_visible()
    books.add([("leche", "1")], cash("12.50", "12.50"))
    _enter(till, ben.username, CLAVE)
    expect(_place(till)).to_contain_text(ben.username)
    sell(till, store, "refresco")
    books.add([("refresco", "1")], cash("17.00", "17.00"))
    states(till, "Persistida", "Guardada")
    till.press("F9", "ArrowDown", "Enter")
    expect(till.dialog).to_contain_text(f"Se envía cuando entre {ana.username}")
    till.press("Escape")
    cajero.rol = Rol.ENCARGADO
    shops.save_membership(membresia=cajero)
    till.page.reload()
    states(till, "Persistida", "Persistida")
    books.assert_kept(pipeline)


def test_going_out_is_refused_once_while_sales_wait(till: TillPage, store: Store, pipeline: Pipeline) -> None:
    till.page.route("**/api/v1/ventas/checkout", lambda route: route.abort())
    sell(till, store)
    states(till, "Guardada")
    _leave(till)
    expect(till.page.get_by_text("Queda 1 venta tuya por enviar.")).to_be_visible()
    expect(till.box).to_be_visible()
    _leave(till)
    expect(_choice(till, "Entrar")).to_be_visible()
    till.page.unroute("**/api/v1/ventas/checkout")
    till.sign_in(store)
    states(till, "Persistida")
    store.shop.come_to_rest(pipeline.host)
    store.shop.assert_exact()


@pytest.mark.parametrize(("rol", "asked"), [("cajero", True), ("encargado", False)])
def test_only_a_cashier_needs_a_manager_to_close_a_sale(
    open_till: OpenTill, store: Store, rol: str, asked: bool
) -> None:
    till = open_till().sign_in(store, rol=rol)
    till.go_offline()
    sell(till, store, "jabon")
    till.scan(store.goods["leche"].codigo_barras)
    expect(till.line("Leche entera 1 L")).to_be_visible()
    till.go_offline(off=False)
    states(till, "Por revisar")
    till.press("F9", "Enter")
    expect(till.dialog.get_by_label("Motivo")).to_be_visible()
    expect(till.dialog.get_by_label("Encargado")).to_have_count(1 if asked else 0)


def test_another_window_may_go_to_another_tienda(open_till: OpenTill, pipeline: Pipeline) -> None:
    """This one stays where it is, with its cart and its payment."""
    store, other = open_store(), open_store()
    shops.save_membership(
        membresia=Membresia(usuario=store.shop.users[Rol.CAJERO], tienda_id=other.shop.tienda_id, rol=Rol.CAJERO)
    )
    till = open_till()
    _enter(till, store.usuario(), CLAVE)
    _choice(till, _nombre(store)).click()
    expect(till.box).to_be_visible()
    till.scan(store.goods["leche"].codigo_barras)
    expect(till.lines).to_have_count(1)
    window = till.another_window()
    window.page.get_by_role("button", name="Ajustes").click()
    window.dialog.get_by_role("button", name="Cambiar de caja").click()
    _choice(window, _nombre(other)).click()
    expect(_place(window)).to_contain_text(_nombre(other))
    till.press("F2", "Enter")
    states(till, "Persistida")
    expect(_place(till)).to_contain_text(_nombre(store))
    store.shop.come_to_rest(pipeline.host)
    assert len(store.shop.written()) == 1


def test_somebody_else_who_signs_in_in_the_administration_is_who_sells(
    till: TillPage, store: Store, pipeline: Pipeline
) -> None:
    """The till says so before anything is recorded in another's name; what the first one sold waits for them."""
    till.scan(store.goods["leche"].codigo_barras)
    expect(till.lines).to_have_count(1)
    admin = till.context.new_page()
    admin.goto(till.page.url.replace("/caja/", "/cuenta/login"))
    admin.locator("[name=username]").fill(store.usuario("encargado"))
    admin.locator("[name=password]").fill(CLAVE)
    with admin.expect_navigation():
        admin.locator("[name=password]").press("Enter")
    till.press("F2", "Enter")
    states(till, "Persistida")
    expect(_place(till)).to_contain_text(store.usuario("encargado"))
    [sent] = store.shop.ventas()
    assert sent.cajero_id == store.shop.users[Rol.ENCARGADO].pk  # an encargado may send what a cajero sold
    till.scan(store.goods["refresco"].codigo_barras)
    expect(till.lines).to_have_count(1)
    till.press("F2", "Enter")
    states(till, "Persistida", "Persistida")
    store.shop.come_to_rest(pipeline.host)
    assert {venta.cajero_id for venta in store.shop.ventas()} == {store.shop.users[Rol.ENCARGADO].pk}
