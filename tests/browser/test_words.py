"""English and Spanish, and amounts as the tienda's country writes them."""

import pytest
from playwright.sync_api import expect

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Tienda
from tests.browser.conftest import OpenTill
from tests.browser.device import printed, sell
from tests.browser.store import CLAVE, Store, scale_code
from tests.browser.till_page import TillPage


def _localize(store: Store, *, locale: str, moneda: str) -> None:
    tienda = Tienda.objects.get(pk=store.shop.tienda_id)
    tienda.configuracion_regional, tienda.moneda = locale, moneda
    shops.save_tienda(tienda=tienda)


def _lang(till: TillPage) -> str | None:
    return till.page.locator("html").get_attribute("lang")


def test_the_browsers_language_is_the_first(open_till: OpenTill) -> None:
    till = open_till(locale="en-GB")
    expect(till.page.get_by_role("button", name="Sign in")).to_be_visible()
    assert _lang(till) == "en"
    expect(till.page).to_have_title("Blend POS · Till")
    other = open_till(locale="de-DE")
    expect(other.page.get_by_role("button", name="Entrar")).to_be_visible()
    assert _lang(other) == "es"


def test_another_language_is_there_at_once_and_stays(till: TillPage, store: Store) -> None:
    till.scan(store.goods["leche"].codigo_barras)
    till.page.get_by_role("button", name="Ajustes").click()
    till.dialog.get_by_label("English").check()
    expect(till.dialog.get_by_role("heading", name="Settings")).to_be_visible()
    assert _lang(till) == "en"
    till.press("Escape")
    expect(till.page.get_by_role("button", name="F2 Cash")).to_be_visible()
    expect(till.page.get_by_role("button", name="Del Remove line")).to_be_visible()
    till.page.reload()
    expect(till.page.get_by_role("combobox", name="Scan or type a product")).to_be_focused()
    assert _lang(till) == "en"
    expect(till.page).to_have_title("Blend POS · Till")
    expect(till.page.get_by_role("list", name="Cart")).to_contain_text("Leche entera 1 L")
    till.page.get_by_role("button", name="Settings").click()
    till.dialog.get_by_label("Español").check()
    till.press("Escape")
    expect(till.box).to_be_focused()


def test_what_the_server_says_is_in_that_language_too(open_till: OpenTill, store: Store) -> None:
    till = open_till(locale="en-US")
    till.page.get_by_label("User name", exact=True).fill(store.usuario())
    till.page.get_by_label("Password", exact=True).fill("wrong")
    till.press("Enter")
    expect(till.page.get_by_role("alert")).to_contain_text("The name or the password is not right.")
    till.page.get_by_label("Password", exact=True).fill(CLAVE)
    till.press("Enter")
    expect(till.page.get_by_text("Scan the first product")).to_be_visible()
    till.type("4*")
    till.scan(store.goods["pan"].codigo_barras)
    till.press("F2", "Enter")
    expect(till.page.get_by_role("alert")).to_contain_text("There are 3 of Pan de molde. Sell 3?")


@pytest.mark.parametrize(
    ("locale", "moneda", "shown"),
    [
        ("es-MX", "MXN", ("$1,264.22", "1,264.22", "6.689 kg", "189.00 /kg")),
        ("en-US", "USD", ("$1,264.22", "1,264.22", "6.689 kg", "189.00 /kg")),
        ("es-ES", "EUR", ("1.264,22 €", "1.264,22", "6,689 kg", "189,00 /kg")),
    ],
)
def test_amounts_are_as_the_tiendas_country_writes_them(
    open_till: OpenTill, store: Store, locale: str, moneda: str, shown: tuple[str, str, str, str]
) -> None:
    """Whatever language the cashier reads; and a comma or a point may be typed anywhere."""
    total, importe, peso, precio = shown
    _localize(store, locale=locale, moneda=moneda)
    till = open_till().sign_in(store)
    till.scan(scale_code(store.goods["queso"], 6689))  # 6.689 × 189 = 1264.221
    expect(till.total).to_have_text(total)
    line = till.line("Queso Oaxaca")
    expect(line).to_contain_text(importe)
    expect(line.get_by_role("button", name="Cantidad de Queso Oaxaca")).to_have_text(peso)
    expect(line).to_contain_text(precio)
    till.press("F2")
    till.type("1.300,50" if locale == "es-ES" else "1,300.50")
    expect(till.page.get_by_role("region", name="Cobrar")).to_contain_text(
        "Cambio 36,28" if locale == "es-ES" else "Cambio 36.28"
    )
    till.press("Enter")
    expect(till.change).to_have_text("36,28" if locale == "es-ES" else "36.28")


def test_a_receipt_is_in_the_cashiers_language_and_the_tiendas_figures(open_till: OpenTill, store: Store) -> None:
    _localize(store, locale="es-ES", moneda="EUR")
    till = open_till().sign_in(store)
    sell(till, store, "leche")
    expect(till.sales.first).to_contain_text("Persistida", timeout=15_000)
    expect(till.sales.first).to_contain_text("12,50")
    printed(till, 1)
    assert "Total EUR12,50" in till.papers[0]
