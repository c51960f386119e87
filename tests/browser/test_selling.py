"""What goes into the cart: by scanner, by words, by weight; what is changed there, parked and taken up again."""

from http import HTTPStatus

import pytest
from playwright.sync_api import expect

from tests.browser.store import Store, ean13, scale_code
from tests.browser.till_page import TillPage
from tests.pipeline.processes import Pipeline

LIVE_MS = 12_000
LECHE, PAN, REFRESCO, JABON = "Leche entera 1 L", "Pan de molde", "Refresco de cola 600 ml", "Jabón de tocador"
TOMATE, QUESO = "Tomate saladet", "Queso Oaxaca"


def _scan(till: TillPage, store: Store, *goods: str) -> None:
    for key in goods:
        till.scan(store.goods[key].codigo_barras)


def _quantity(till: TillPage, nombre: str, text: str) -> None:
    """That line's quantity, just so, with its unit."""
    expect(till.line(nombre).get_by_role("button", name=f"Cantidad de {nombre}")).to_have_text(text)


def test_a_scanned_barcode_adds_its_product_and_joins_its_line(till: TillPage, store: Store) -> None:
    _scan(till, store, "leche", "refresco", "leche")
    expect(till.lines).to_have_count(2)
    _quantity(till, LECHE, "2")
    _quantity(till, REFRESCO, "1")
    expect(till.total).to_have_text("$42.00")
    expect(till.box).to_have_value("")


def test_a_number_and_a_star_multiply_what_comes_next_or_the_chosen_line(till: TillPage, store: Store) -> None:
    till.type("3*")
    expect(till.page.get_by_text("3×", exact=True)).to_be_visible()
    _scan(till, store, "leche")
    _quantity(till, LECHE, "3")
    _scan(till, store, "refresco")
    till.press("ArrowUp")
    till.type("5*")
    till.press("Enter")
    _quantity(till, LECHE, "5")
    _quantity(till, REFRESCO, "1")
    till.type("2*refresco")
    till.press("Enter")
    _quantity(till, REFRESCO, "3")


def test_words_and_skus_find_products_whatever_their_accents(till: TillPage, store: Store) -> None:
    till.type("JABÓN toc")
    expect(till.results).to_have_count(1)
    till.press("Escape")
    till.type("jabon")
    expect(till.results).to_have_count(1)
    expect(till.results.first).to_contain_text("9.90")
    expect(till.results.first).to_contain_text("Agotado")
    till.press("Escape")
    till.type("ref-1")
    expect(till.results.first).to_contain_text(REFRESCO)
    expect(till.results.first).to_contain_text("quedan 500")
    till.press("Enter")
    _quantity(till, REFRESCO, "1")


def test_what_another_till_sells_is_seen_in_the_results(till: TillPage, store: Store, pipeline: Pipeline) -> None:
    till.type("pan de")
    expect(till.results.first).to_contain_text("18.00")
    expect(till.results.first).to_contain_text("quedan 3")
    other = pipeline.till(store.shop)
    assert other.sell([(store.goods["pan"].id, 1)]).status == HTTPStatus.CREATED
    expect(till.results.first).to_contain_text("quedan 2", timeout=LIVE_MS)
    assert other.sell([(store.goods["pan"].id, 2)]).status == HTTPStatus.CREATED
    expect(till.results.first).to_contain_text("Agotado", timeout=LIVE_MS)


def test_arrows_walk_the_results_and_enter_takes_one(till: TillPage) -> None:
    till.type("de")
    names = [JABON, PAN, REFRESCO, TOMATE]  # which has it within a word
    expect(till.results).to_contain_text(names)
    till.press("ArrowDown", "ArrowDown", "ArrowUp")
    chosen = till.results.nth(1)
    expect(chosen).to_have_attribute("aria-selected", "true")
    assert till.box.get_attribute("aria-activedescendant") == chosen.get_attribute("id")
    till.press("Enter")
    expect(till.lines).to_have_count(1)
    _quantity(till, names[1], "1")
    expect(till.results).to_have_count(0)


@pytest.mark.parametrize(("typed", "shown"), [("1,235", "1.235 kg"), ("0.5", "0.500 kg")])
def test_what_is_weighed_asks_for_its_weight(till: TillPage, typed: str, shown: str) -> None:
    till.type("tomate")
    till.press("Enter")
    weight = till.dialog.get_by_label("Kilogramos")
    expect(weight).to_be_focused()
    till.press("Enter")
    expect(till.dialog.get_by_role("alert")).to_contain_text("Escribe el peso en kilos")
    till.type(typed)
    till.press("Enter")
    expect(till.dialog).to_have_count(0)
    _quantity(till, TOMATE, shown)
    expect(till.box).to_be_focused()


def test_a_scale_code_brings_its_weight_along(till: TillPage, store: Store) -> None:
    till.scan(scale_code(store.goods["queso"], 496))
    till.scan(scale_code(store.goods["queso"], 250))
    expect(till.lines).to_have_count(2)
    expect(till.lines.nth(0)).to_contain_text("0.496 kg")
    expect(till.lines.nth(1)).to_contain_text("0.250 kg")
    expect(till.total).to_have_text("$140.99")
    wrong = scale_code(store.goods["queso"], 496)[:-1] + "0"
    assert wrong != scale_code(store.goods["queso"], 496)
    till.scan(wrong)
    expect(till.page.get_by_text(f"El código {wrong} no es de ningún producto.")).to_be_visible()
    expect(till.lines).to_have_count(2)


def test_an_unknown_code_says_so_and_leaves_the_box_empty(till: TillPage, store: Store) -> None:
    unknown = ean13("750999999999")
    till.scan(unknown)
    expect(till.page.get_by_text(f"El código {unknown} no es de ningún producto.")).to_be_visible()
    expect(till.box).to_have_value("")
    expect(till.lines).to_have_count(0)
    _scan(till, store, "leche")
    expect(till.lines).to_have_count(1)
    expect(till.page.get_by_text("no es de ningún producto")).to_have_count(0)


def test_a_quantity_is_changed_and_a_line_of_nothing_is_gone(till: TillPage, store: Store) -> None:
    _scan(till, store, "leche")
    till.press("Enter")
    field = till.dialog.get_by_label("Cantidad")
    expect(field).to_be_focused()
    till.type("4")
    till.press("Enter")
    _quantity(till, LECHE, "4")
    till.line(LECHE).get_by_role("button", name=f"Uno más de {LECHE}").click()
    _quantity(till, LECHE, "5")
    till.press("-", "-")
    _quantity(till, LECHE, "3")
    till.press("Enter")
    till.type("0")
    till.press("Enter")
    expect(till.lines).to_have_count(0)
    expect(till.box).to_be_focused()


def test_what_was_removed_comes_back_where_it_was(till: TillPage, store: Store) -> None:
    _scan(till, store, "leche", "pan", "refresco")
    till.press("ArrowUp", "Delete")
    expect(till.lines).to_have_count(2)
    expect(till.page.get_by_text(f"{PAN} se quitó.")).to_be_visible()
    till.press("Control+z")
    expect(till.lines).to_contain_text([LECHE, PAN, REFRESCO])
    till.line(PAN).get_by_role("button", name=f"Quitar {PAN}").click()
    expect(till.box).to_be_focused()
    till.page.get_by_role("button", name="Vaciar").click()
    expect(till.lines).to_have_count(0)
    till.page.get_by_role("button", name="Deshacer").click()
    expect(till.lines).to_contain_text([LECHE, REFRESCO])
    till.press("Control+z")
    expect(till.lines).to_contain_text([LECHE, PAN, REFRESCO])


def test_pieces_are_whole(till: TillPage, store: Store) -> None:
    till.type("1,5*")
    _scan(till, store, "leche")
    expect(till.page.get_by_text("Este producto se vende por piezas enteras.")).to_be_visible()
    expect(till.lines).to_have_count(0)
    _scan(till, store, "leche")
    till.press("Enter")
    till.type("1,5")
    till.press("Enter")
    expect(till.dialog.get_by_role("alert")).to_contain_text("piezas enteras")
    till.press("Escape")
    _quantity(till, LECHE, "1")


@pytest.mark.parametrize("key", ["F2", "F3"])
def test_a_scan_while_paying_is_the_next_customers(till: TillPage, store: Store, key: str) -> None:
    _scan(till, store, "leche")
    till.press(key)
    _scan(till, store, "refresco")
    expect(till.page.get_by_text("Un producto espera a la próxima venta")).to_be_visible()
    till.type("20")
    till.press("Enter")
    expect(till.page.get_by_role("region", name="Cobrado")).to_be_visible()
    expect(till.sales.first).to_contain_text("12.50")
    expect(till.lines).to_have_count(1)
    _quantity(till, REFRESCO, "1")


def _park_three(till: TillPage, store: Store) -> None:
    for number, key in enumerate(("leche", "pan", "refresco"), start=1):
        _scan(till, store, key)
        expect(till.lines).to_have_count(1)
        till.press("F7")
        expect(till.page.get_by_text(f"Carrito apartado. En espera: {number}.")).to_be_visible()
        expect(till.lines).to_have_count(0)


def _take_up(till: TillPage, nombre: str) -> None:
    till.press("F8")
    till.dialog.get_by_role("listitem").filter(has_text=nombre).get_by_role("button", name="Retomar").click()
    expect(till.dialog).to_have_count(0)
    expect(till.lines).to_have_count(1)
    expect(till.line(nombre)).to_be_visible()
    expect(till.box).to_be_focused()


def test_three_parked_carts_are_taken_up_in_another_order(till: TillPage, store: Store) -> None:
    _park_three(till, store)
    _take_up(till, PAN)
    till.page.reload()
    expect(till.line(PAN)).to_be_visible()
    _take_up(till, LECHE)  # parks the bread
    till.press("F2", "Enter")
    expect(till.sales).to_have_count(1)
    till.press("F8")
    expect(till.dialog.get_by_role("listitem")).to_have_count(2)
    expect(till.dialog.get_by_role("button", name="Retomar").first).to_be_focused()
    till.press("Enter")
    expect(till.line(PAN)).to_be_visible()
    _take_up(till, REFRESCO)


def test_a_parked_cart_is_one_windows_only(till: TillPage, store: Store) -> None:
    _park_three(till, store)
    other = till.another_window()
    expect(other.page.get_by_role("button", name="Apartados (3)")).to_be_visible()
    till.press("F8")
    expect(till.dialog.get_by_role("listitem")).to_have_count(3)
    _take_up(other, PAN)
    expect(till.dialog.get_by_role("listitem")).to_have_count(2)
    till.press("Escape")
    _take_up(till, LECHE)
    expect(other.lines).to_have_count(1)
    other.press("F8")
    expect(other.dialog.get_by_role("listitem")).to_have_count(1)
