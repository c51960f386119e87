"""Taking money: what was given, what goes back, what is missing; and the rows of `pagos` that come of it."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.books import Books, Payment, card, cash, transfer
from tests.browser.store import Store, scale_code
from tests.browser.till_page import TillPage
from tests.pipeline.processes import Pipeline


def _panel(till: TillPage) -> Locator:
    return till.page.get_by_role("region", name="Cobrar")


def _problem(till: TillPage) -> Locator:
    return _panel(till).get_by_role("alert")


@pytest.fixture
def books(store: Store) -> Books:
    return Books(store)


def _scan(till: TillPage, store: Store, key: str = "leche") -> None:
    till.scan(store.goods[key].codigo_barras)


def test_cash_that_was_given_by_a_note(till: TillPage, store: Store, books: Books, pipeline: Pipeline) -> None:
    till.type("2*")
    _scan(till, store, "refresco")
    till.press("F2")
    panel = _panel(till)
    notes = panel.get_by_role("button", name="Exacto").locator("..").get_by_role("button")
    expect(notes).to_have_text(["Exacto", "40.00", "50.00", "100.00", "200.00", "500.00"])
    panel.get_by_role("button", name="100.00", exact=True).click()
    expect(panel.get_by_label("Recibido")).to_be_focused()
    expect(panel.get_by_label("Recibido")).to_have_value("100")
    expect(panel).to_contain_text("Cambio 66.00")
    panel.get_by_role("button", name="Exacto").click()
    expect(panel).to_contain_text("Cambio 0.00")
    panel.get_by_role("button", name="50.00", exact=True).click()
    till.press("Enter")
    expect(till.change).to_have_text("16.00")
    books.add([("refresco", "2")], cash("34.00", "50.00"))
    books.assert_kept(pipeline)


def test_too_little_is_not_taken_and_says_so(till: TillPage, store: Store) -> None:
    _scan(till, store)
    till.press("F2")
    till.type("10")
    expect(_panel(till)).to_contain_text("Falta 2.50")
    till.press("Enter")
    expect(_problem(till)).to_contain_text("Es menos que el total")
    till.press("Backspace", "Backspace")
    till.type("diez")
    till.press("Enter")
    expect(_problem(till)).to_contain_text("Escribe un importe")
    expect(till.sales).to_have_count(0)
    till.press("Escape")
    expect(till.line("Leche entera 1 L")).to_be_visible()
    expect(till.box).to_be_focused()


def test_the_change_stays_until_the_next_scan_begins_a_sale(till: TillPage, store: Store) -> None:
    _scan(till, store)
    till.press("F2")
    till.type("20,00")
    till.press("Enter")
    expect(till.change).to_have_text("7.50")
    expect(till.sales.first).to_contain_text("Persistida", timeout=15_000)
    expect(till.change).to_have_text("7.50")
    _scan(till, store, "refresco")
    expect(till.change).to_be_hidden()
    expect(till.total).to_contain_text("17.00")
    expect(till.lines).to_have_count(1)


@pytest.mark.parametrize(
    "kind", [("F3", "Referencia del voucher", card), ("F4", "Referencia de la transferencia", transfer)]
)
def test_a_reference_is_asked_for(
    till: TillPage, store: Store, books: Books, pipeline: Pipeline, kind: tuple[str, str, Callable[[str, str], Payment]]
) -> None:
    key, label, paid = kind
    _scan(till, store)
    till.press(key)
    expect(_panel(till).get_by_label(label)).to_be_focused()
    till.press("Enter")
    expect(_problem(till)).to_have_text("Escribe la referencia.")
    expect(till.sales).to_have_count(0)
    till.type("  A-77  ")
    till.press("Enter")
    expect(till.sales).to_have_count(1)
    books.add([("leche", "1")], paid("12.50", "A-77"))
    books.assert_kept(pipeline)


def test_parts_that_do_not_add_up_are_not_confirmed(till: TillPage, store: Store) -> None:
    till.scan(scale_code(store.goods["queso"], 1000))
    till.press("F6", "F3")
    panel = _panel(till)
    till.type("200")
    till.press("Tab")
    till.type("V-1")
    till.press("Enter")
    expect(_problem(till)).to_contain_text("Solo el efectivo da cambio")
    panel.get_by_label("Importe").fill("100")
    till.press("Enter")
    expect(panel.get_by_role("list", name="Pagos").get_by_role("listitem")).to_have_count(1)
    expect(panel).to_contain_text("Falta 89.00")
    expect(panel.get_by_role("button", name="Cobrar")).to_be_visible()  # what is due is there: Enter would charge it
    till.type("50")
    expect(panel.get_by_role("button", name="Agregar pago")).to_be_visible()
    till.press("Enter")
    expect(panel).to_contain_text("Falta 39.00")
    expect(till.sales).to_have_count(0)
    panel.get_by_role("button", name="Quitar Tarjeta 100.00").click()
    expect(panel).to_contain_text("Falta 139.00")


def test_three_parts_and_the_surplus_of_cash_is_change(
    till: TillPage, store: Store, books: Books, pipeline: Pipeline
) -> None:
    till.scan(scale_code(store.goods["queso"], 1000))
    till.press("F6", "F3")
    till.type("100")
    till.press("Tab")
    till.type("V-1")
    till.press("Enter", "F4")
    till.type("50.25")
    till.press("Tab")
    till.type("T-9")
    till.press("Enter")
    expect(_panel(till)).to_contain_text("Falta 38.75")
    expect(_panel(till).get_by_label("Importe")).to_be_focused()
    till.type("40")
    till.press("Enter")
    expect(till.change).to_have_text("1.25")
    books.add([("queso", "1")], card("100.00", "V-1"), transfer("50.25", "T-9"), cash("38.75", "40.00"))
    books.assert_kept(pipeline)


def test_one_part_that_pays_for_all_is_confirmed_by_enter(
    till: TillPage, store: Store, books: Books, pipeline: Pipeline
) -> None:
    _scan(till, store)
    till.press("F6")
    till.type("20")
    till.press("Enter")
    expect(till.sales).to_have_count(0)
    expect(_panel(till).get_by_role("button", name="Cobrar")).to_be_focused()
    till.press("Enter")
    expect(till.change).to_have_text("7.50")
    books.add([("leche", "1")], cash("12.50", "20.00"))
    books.assert_kept(pipeline)


def test_nothing_is_paid_for_an_empty_cart(till: TillPage) -> None:
    till.press("F2")
    expect(till.page.get_by_text("Aún no hay nada que cobrar.")).to_be_visible()
    expect(till.box).to_be_focused()


def test_a_scan_in_the_middle_of_a_payment_is_no_money(
    till: TillPage, store: Store, books: Books, pipeline: Pipeline
) -> None:
    """Neither of a product, which waits for the next cart, nor of an unknown code, however slow the scanner."""
    _scan(till, store)
    till.press("F2")
    till.scan("12345670")
    expect(till.page.get_by_text("El código 12345670 no es de ningún producto.")).to_be_visible()
    expect(_panel(till).get_by_label("Recibido")).to_have_value("")
    till.type("12345670")
    till.press("Enter")
    expect(_problem(till)).to_contain_text("Escribe un importe")
    _panel(till).get_by_label("Recibido").fill("")
    till.type("1,000")
    expect(_panel(till)).to_contain_text("Cambio 987.50")
    till.press("Enter")
    expect(till.change).to_have_text("987.50")
    books.add([("leche", "1")], cash("12.50", "1000.00"))
    books.assert_kept(pipeline)


def test_what_is_being_paid_stays_what_it_is(till: TillPage, store: Store) -> None:
    """No other cart comes under a payment, and nothing is taken out of it."""
    _scan(till, store, "refresco")
    till.press("F7")
    expect(till.lines).to_have_count(0)
    _scan(till, store)
    till.press("F6", "5", "Enter")
    expect(_panel(till)).to_contain_text("Falta 7.50")
    for key in ("F7", "F8"):
        till.press(key)
        expect(till.dialog).to_have_count(0)
        expect(till.line("Leche entera 1 L")).to_be_visible()
    for name in ("Apartar", "Apartados", "Quitar línea", "Vaciar"):
        expect(till.page.get_by_role("navigation").get_by_role("button", name=name)).to_be_disabled()
    till.press("Escape", "F6")
    expect(_panel(till)).to_contain_text("Falta 7.50")  # what was typed is there still
