"""A sale that the server refuses: before its customer goes, and after; corrected, or closed for good."""

import time
from decimal import Decimal
from http import HTTPStatus
from uuid import UUID

import pytest
from playwright.sync_api import Locator, expect

from cache_stock import warmup
from inventario import catalogo
from inventario.catalogo import ProductChange
from tests.browser.device import SOON_MS, Wire, assert_sold_once, kept, kept_keys, printed, sell, states
from tests.browser.store import CLAVE, Store
from tests.browser.till_page import TillPage
from tests.pipeline.processes import Pipeline
from ventas.models import EstadoFalla

MOST_GUESSES = 10
RAZON = "El cliente devolvió la mercancía"


@pytest.fixture
def wire(till: TillPage) -> Wire:
    """What the till sends."""
    return Wire(till.context)


def banner(till: TillPage) -> Locator:
    """What the server said of the cart on the screen."""
    return till.page.get_by_role("alert", name="Falta resolver esto")


def pay(till: TillPage) -> None:
    """In cash, exactly."""
    till.press("F2")
    expect(till.page.get_by_label("Recibido")).to_be_focused()
    till.press("Enter")


def change(store: Store, name: str, **what: object) -> None:
    """As the admin does: in PostgreSQL, and from there in Redis."""
    producto = store.goods[name].id
    assert catalogo.change_product(producto_id=producto, change=ProductChange(**what))  # type: ignore[arg-type]
    warmup.warm_products(productos=[producto], now_ms=int(time.time() * 1000))


def assert_taken_at_second(
    pipeline: Pipeline, store: Store, till: TillPage, wire: Wire, *, total: str, refused: HTTPStatus
) -> None:
    """Refused once, then sold under the same key, for this much."""
    states(till, "Persistida")
    assert wire.statuses == [refused, HTTPStatus.CREATED]
    assert len(set(wire.keys)) == 1
    [venta] = store.shop.ventas()
    assert venta.total == Decimal(total)
    assert not store.shop.fallidas()
    printed(till, 1)
    assert_sold_once(pipeline, store, till, sales=1)


def test_too_few_are_left(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> None:
    """It says of what and how many; Enter takes these."""
    till.type("5*")
    till.scan(store.goods["pan"].codigo_barras)
    expect(till.line("Pan de molde")).to_contain_text("5")
    pay(till)

    expect(banner(till)).to_contain_text("Quedan 3 de Pan de molde. ¿Vender 3?")
    expect(till.sales).to_have_count(0)
    expect(till.page.get_by_role("button", name="Vender 3")).to_be_focused()
    till.press("Enter")
    expect(banner(till)).to_be_hidden()
    expect(till.total).to_contain_text("54.00")
    expect(till.box).to_be_focused()
    pay(till)

    assert_taken_at_second(pipeline, store, till, wire, total="54.00", refused=HTTPStatus.BAD_REQUEST)


def test_one_of_two_is_sold_out(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> None:
    till.scan(store.goods["leche"].codigo_barras)
    till.scan(store.goods["jabon"].codigo_barras)
    expect(till.lines).to_have_count(2)
    pay(till)

    expect(banner(till)).to_contain_text("Ya no queda Jabón de tocador.")
    till.page.reload()  # what was said is kept with the cart
    expect(banner(till)).to_contain_text("Ya no queda Jabón de tocador.")
    answer = till.page.get_by_role("button", name="Quitar del carrito")
    expect(answer).to_be_focused()
    till.type("le")  # what is typed still lands in the box
    expect(till.box).to_have_value("le")
    till.press("Escape", "Escape")
    expect(answer).to_be_focused()
    till.press("Enter")
    expect(till.lines).to_have_count(1)
    pay(till)

    assert_taken_at_second(pipeline, store, till, wire, total="12.50", refused=HTTPStatus.BAD_REQUEST)


def test_a_price_has_changed(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> None:
    change(store, "leche", precio=Decimal("13.20"))
    till.scan(store.goods["leche"].codigo_barras)
    expect(till.total).to_contain_text("12.50")
    pay(till)

    expect(banner(till)).to_contain_text("Leche entera 1 L ahora cuesta 13.20 (antes 12.50).")
    till.press("Enter")
    expect(till.total).to_contain_text("13.20")
    pay(till)

    assert_taken_at_second(pipeline, store, till, wire, total="13.20", refused=HTTPStatus.CONFLICT)
    till.scan(store.goods["leche"].codigo_barras)  # it has learnt of it
    expect(till.total).to_contain_text("13.20")


def test_a_product_is_sold_no_more(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> None:
    change(store, "refresco", is_active=False)
    till.scan(store.goods["leche"].codigo_barras)
    till.scan(store.goods["refresco"].codigo_barras)
    expect(till.lines).to_have_count(2)
    pay(till)

    expect(banner(till)).to_contain_text("Refresco de cola 600 ml ya no se vende.")
    till.press("Enter")
    expect(till.lines).to_have_count(1)
    pay(till)

    assert_taken_at_second(pipeline, store, till, wire, total="12.50", refused=HTTPStatus.NOT_FOUND)


@pytest.fixture
def to_review(till: TillPage, store: Store, wire: Wire, pipeline: Pipeline) -> UUID:
    """Two loaves sold without the network while another till sold them; refused while the next customer is served."""
    till.go_offline()
    sell(till, store, "pan", "pan")
    till.scan(store.goods["leche"].codigo_barras)
    expect(till.lines).to_have_count(1)
    assert pipeline.till(store.shop).sell([(store.goods["pan"].id, 2)]).status == HTTPStatus.CREATED
    till.go_offline(off=False)
    states(till, "Por revisar")
    [key] = kept_keys(till)
    return key


def open_review(till: TillPage) -> None:
    till.page.get_by_role("button", name="1 venta por revisar").click()
    expect(till.dialog).to_contain_text("Venta por revisar")


def close_it(till: TillPage, *, razon: str = RAZON, usuario: str, clave: str = CLAVE) -> None:
    """In the open dialog, as an encargado who comes by."""
    till.dialog.get_by_label("Motivo").fill(razon)
    till.dialog.get_by_label("Encargado").fill(usuario)
    till.dialog.get_by_label("Contraseña").fill(clave)
    till.dialog.get_by_role("button", name="Anular la venta").click()


def assert_left_alone(till: TillPage, store: Store, wire: Wire) -> None:
    """Nothing came of it."""
    assert kept(till)[0]["estado"] == "POR_REVISAR"
    assert not store.shop.fallidas()
    assert wire.statuses[-1] == HTTPStatus.BAD_REQUEST


def test_refused_after_the_customer_left_it_stands_out_until_corrected(
    to_review: UUID, till: TillPage, store: Store, wire: Wire, pipeline: Pipeline
) -> None:
    expect(till.line("Leche entera 1 L")).to_be_visible()  # the next customer's cart is as it was
    expect(banner(till)).to_be_hidden()
    assert not till.papers
    pay(till)
    states(till, "Persistida", "Por revisar")
    till.page.reload()
    states(till, "Persistida", "Por revisar")

    open_review(till)
    expect(till.dialog).to_contain_text("Quedaban 1 de Pan de molde.")
    till.page.get_by_role("button", name="Corregir y volver a enviar").click()
    expect(banner(till)).to_contain_text("Quedan 1 de Pan de molde. ¿Vender 1?")
    expect(till.page.get_by_role("button", name="Vender 1")).to_be_focused()
    till.press("Enter")
    expect(till.total).to_contain_text("18.00")
    pay(till)

    states(till, "Persistida", "Persistida")
    expect(till.page.get_by_role("button", name="por revisar")).to_be_hidden()
    assert [one.status for one in wire.sent if one.key == to_review][-1] == HTTPStatus.CREATED
    store.shop.come_to_rest(pipeline.host)
    assert store.shop.written()[to_review] == 1
    assert len(store.shop.written()) == 3  # with the other till's
    assert not store.shop.fallidas()
    store.shop.assert_exact()


def test_it_is_closed_by_an_encargado_with_a_reason_that_is_kept(
    to_review: UUID, till: TillPage, store: Store, wire: Wire, pipeline: Pipeline
) -> None:
    encargado = store.usuario("encargado")
    open_review(till)
    close_it(till, razon=" ", usuario=encargado)
    expect(till.dialog).to_contain_text("Escribe el motivo.")
    close_it(till, usuario=encargado, clave="de-ayer")
    expect(till.dialog).to_contain_text("El nombre o la contraseña no son correctos.")
    close_it(till, usuario=store.usuario("cajero"))
    expect(till.dialog).to_contain_text("Hace falta una persona encargada de esta tienda.")
    assert_left_alone(till, store, wire)

    close_it(till, usuario=encargado)

    expect(till.dialog).to_be_hidden()
    states(till, "Anulada")
    expect(till.page.get_by_role("button", name="por revisar")).to_be_hidden()
    [closed] = store.shop.fallidas()
    assert (closed.venta_id, closed.estado, closed.nota) == (to_review, EstadoFalla.DESCARTADA, RAZON)
    assert closed.resuelta_por == store.shop.users["encargado"]
    assert "stock_insuficiente" in closed.error
    assert not till.papers
    pay(till)  # the next customer's
    states(till, "Persistida", "Anulada")
    store.shop.come_to_rest(pipeline.host)
    assert to_review not in store.shop.written()
    store.shop.assert_exact()


def test_guessing_at_an_encargados_password_ends(
    to_review: UUID, till: TillPage, store: Store, wire: Wire, pipeline: Pipeline
) -> None:
    encargado = store.usuario("encargado")
    open_review(till)
    for _ in range(MOST_GUESSES):
        with till.page.expect_response("**/cierre") as answer:
            close_it(till, usuario=encargado, clave="adivina")
        assert answer.value.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
    close_it(till, usuario=encargado)

    expect(till.dialog).to_contain_text("Demasiados intentos. Espera 15 minutos", timeout=SOON_MS)
    assert_left_alone(till, store, wire)
    store.shop.come_to_rest(pipeline.host)
    store.shop.assert_exact()


def test_a_correction_is_no_way_to_make_it_vanish(
    to_review: UUID, till: TillPage, store: Store, wire: Wire, pipeline: Pipeline
) -> None:
    """Emptied or parked, the sale is to be reviewed again, with how it was paid."""
    pay(till)  # the next customer's
    states(till, "Persistida", "Por revisar")
    for give_up in ("Vaciar", "Apartar"):
        open_review(till)
        expect(till.dialog).to_contain_text("Efectivo")
        till.page.get_by_role("button", name="Corregir y volver a enviar").click()
        expect(till.page.get_by_text("Corriges la venta")).to_contain_text("Ya se cobró 36.00")
        states(till, "Persistida")
        till.page.get_by_role("button", name=give_up).click()
        expect(till.page.get_by_text("La venta volvió a «Por revisar»")).to_be_visible()
        states(till, "Persistida", "Por revisar")
        expect(till.lines).to_have_count(0)
    till.page.reload()
    states(till, "Persistida", "Por revisar")
    assert to_review in kept_keys(till)
    sell(till, store, "refresco")
    assert sum(key == to_review for key in kept_keys(till)) == 1
    states(till, "Persistida", "Persistida", "Por revisar")
    store.shop.come_to_rest(pipeline.host)
    assert to_review not in store.shop.written()


def test_a_refused_sale_whose_cart_is_emptied_gives_its_code_to_nobody(
    till: TillPage, store: Store, wire: Wire, pipeline: Pipeline
) -> None:
    till.scan(store.goods["jabon"].codigo_barras)
    expect(till.lines).to_have_count(1)
    pay(till)
    expect(banner(till)).to_be_visible()
    till.page.get_by_role("button", name="Vaciar").click()
    expect(till.lines).to_have_count(0)
    sell(till, store, "leche")
    states(till, "Persistida")
    assert len(set(wire.keys)) == 2
    assert_sold_once(pipeline, store, till, sales=1)
