"""A till without a mouse: each shortcut that the help shows does what it says, and the box never loses the focus."""

from playwright.sync_api import expect

from tests.browser.device import printed, sell, states
from tests.browser.store import Store
from tests.browser.till_page import TillPage

LECHE, PAN = "Leche entera 1 L", "Pan de molde"
SHOWN = (
    "3*",
    "Enter",
    "↑ ↓",
    "+ −",
    "F2",
    "F3",
    "F4",
    "F6",
    "F7",
    "F8",
    "F9",
    "F10",
    "Supr",
    "Ctrl Z",
    "Ctrl P",
    "Esc",
    "?",
)
MOST_KEYS = 4
COUNT_KEYS = """() => {
    globalThis.keys = 0;
    addEventListener("keydown", () => { globalThis.keys += 1; }, { capture: true });
}"""


def _scan(till: TillPage, store: Store, key: str = "leche") -> None:
    till.scan(store.goods[key].codigo_barras)


def test_the_help_shows_every_key(till: TillPage) -> None:
    till.press("?")
    expect(till.dialog.get_by_role("heading", name="Atajos del teclado")).to_be_visible()
    camera = till.page.get_by_role("button", name="Cámara").count() > 0  # its key is shown where there is one
    expect(till.dialog.get_by_role("term")).to_have_text([key for key in SHOWN if camera or key != "F10"])
    till.press("Escape")
    expect(till.dialog).to_have_count(0)
    expect(till.box).to_be_focused()
    expect(till.box).to_have_value("")


def test_a_cash_sale_takes_four_keys_at_most(till: TillPage, store: Store) -> None:
    _scan(till, store)
    till.page.evaluate(COUNT_KEYS)
    till.press("F2", "5", "0", "Enter")
    expect(till.change).to_have_text("37.50")
    assert till.page.evaluate("globalThis.keys") <= MOST_KEYS
    expect(till.box).to_be_focused()


def test_the_keys_that_pay(till: TillPage, store: Store) -> None:
    for key, kind in (("F2", "Efectivo"), ("F3", "Tarjeta"), ("F4", "Transferencia"), ("F6", "Mixto")):
        till.press(key)
        expect(till.page.get_by_text("Aún no hay nada que cobrar.")).to_be_visible()
        _scan(till, store)
        till.press(key)
        panel = till.page.get_by_role("region", name="Cobrar")
        expect(panel.get_by_role("heading", name=kind)).to_be_visible()
        expect(panel.locator("input").first).to_be_focused()
        till.press("Escape")
        expect(panel).to_have_count(0)
        expect(till.box).to_be_focused()
        till.press("Delete")
        expect(till.lines).to_have_count(0)


def test_the_keys_of_the_cart(till: TillPage, store: Store) -> None:
    _scan(till, store)
    _scan(till, store, "pan")
    till.press("ArrowUp", "Delete")
    expect(till.lines).to_contain_text([PAN])
    expect(till.box).to_be_focused()
    till.press("Control+z")
    expect(till.lines).to_contain_text([LECHE, PAN])
    till.press("Enter")
    expect(till.dialog.get_by_label("Cantidad")).to_be_focused()
    till.press("Escape")
    expect(till.box).to_be_focused()
    till.press("F7")
    expect(till.lines).to_have_count(0)
    till.press("F7")  # nothing to park: what is parked
    expect(till.dialog.get_by_role("button", name="Retomar")).to_be_focused()
    till.press("Escape")
    expect(till.dialog).to_have_count(0)
    till.press("F8", "Enter")
    expect(till.lines).to_contain_text([LECHE, PAN])
    expect(till.box).to_be_focused()


def test_the_keys_of_what_was_sold(till: TillPage, store: Store) -> None:
    sell(till, store)
    sell(till, store, "pan")
    states(till, "Persistida", "Persistida")
    printed(till, 2)
    till.press("Control+p")
    printed(till, 3)
    till.press("Escape")
    expect(till.page.get_by_role("region", name="Cobrado")).to_have_count(0)
    till.press("F9", "ArrowDown", "Enter")
    expect(till.dialog).to_contain_text(LECHE)
    expect(till.dialog.get_by_role("button", name="Reimprimir")).to_be_focused()
    till.press("Enter")
    printed(till, 4)
    till.press("Escape")
    expect(till.dialog).to_have_count(0)
    expect(till.box).to_be_focused()


def test_typing_anywhere_lands_in_the_box(till: TillPage, store: Store) -> None:
    sell(till, store)
    till.press("F9")
    expect(till.sales.get_by_role("button").first).to_be_focused()
    till.type("pan")
    expect(till.box).to_be_focused()
    expect(till.box).to_have_value("pan")
    till.press("Enter")
    expect(till.line(PAN)).to_be_visible()
    till.page.get_by_role("button", name="Ajustes").focus()
    till.type("leche")
    expect(till.box).to_have_value("leche")
    till.press("Escape")
    expect(till.box).to_have_value("")
    till.type("tomate")
    till.press("Enter")
    expect(till.dialog.get_by_label("Kilogramos")).to_be_focused()
    till.press("Escape")
    expect(till.box).to_be_focused()
    expect(till.lines).to_have_count(1)
