"""The paper: what stands on it, how wide it is, when it is printed; and its code, read back as a scanner does."""

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Locator, Route, expect

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Tienda
from tests.browser.conftest import OpenTill
from tests.browser.device import CHECKOUT, kept_keys, printed, sell, states, until
from tests.browser.store import Store, open_store, scale_code
from tests.browser.till_page import TillPage

PAPER_PX = 72 / 25.4 * 96
CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
START_B = 104
BARS = """svg => [...svg.querySelectorAll("rect")].map(bar => [bar.x.baseVal.value, bar.width.baseVal.value])"""
# Code 128's symbols, by the widths of their bars and spaces; the first 106 of ISO/IEC 15417's table 1.
WIDTHS = re.findall(
    r"\d{6}",
    """
212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 122132 122231 113222 123122
123221 223211 221132 221231 213212 223112 312131 311222 321122 321221 312212 322112 322211 212123 212321 232121 111323
131123 131321 112313 132113 132311 211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131
213113 213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 121124 121421 141122
141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 241112 134111 111242 121142 121241 114212 124112
124211 411212 421112 421211 212141 214121 412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141
411131 211412 211214 211232
""",
)


def _read_bars(bars: list[list[float]]) -> str:
    """The text of a Code 128 B, from where its bars begin and how wide they are, in modules."""
    widths: list[int] = []
    for place, (start, width) in enumerate(bars):
        if place:
            widths.append(round(start - sum(bars[place - 1])))
        widths.append(round(width))
    assert widths[-7:] == [2, 3, 3, 1, 1, 1, 2], "it does not stop as a Code 128 does"
    digits = "".join(map(str, widths[:-7]))
    first, *values, check = [WIDTHS.index(digits[at : at + 6]) for at in range(0, len(digits), 6)]
    assert first == START_B
    assert check == (START_B + sum(value * place for place, value in enumerate(values, 1))) % 103
    return "".join(chr(value + 32) for value in values)


def _short_code(venta_id: Any) -> str:
    """Eight Crockford letters of the last 40 bits."""
    bits = venta_id.int & ((1 << 40) - 1)
    return "".join(CROCKFORD[bits >> (5 * place) & 31] for place in reversed(range(8)))


@pytest.fixture
def store(pipeline: object) -> Store:
    """One whose receipts have their texts, in another time zone than the device."""
    store = open_store(terminals=2)
    tienda = Tienda.objects.get(pk=store.shop.tienda_id)
    tienda.nombre = "Abarrotes El Sol"
    tienda.encabezado_recibo = "El Sol, S.A. de C.V.\nRFC SOL010101AB1"
    tienda.pie_recibo = "Gracias por tu compra."
    tienda.zona_horaria = "America/Tijuana"
    shops.save_tienda(tienda=tienda)
    return store


@pytest.fixture
def till(open_till: OpenTill, store: Store) -> TillPage:
    return open_till().sign_in(store, terminal=2)


def _paper(till: TillPage) -> Locator:
    """What is on the paper, as print CSS shows it."""
    till.page.emulate_media(media="print")
    return till.page.get_by_role("article")


def _screen(till: TillPage) -> None:
    till.page.emulate_media(media="screen")


def _sell_mixed(till: TillPage, store: Store) -> None:
    till.type("2*")
    till.scan(store.goods["refresco"].codigo_barras)
    till.scan(scale_code(store.goods["queso"], 496))
    expect(till.total).to_contain_text("127.74")
    till.press("F6", "F3")
    till.type("100")
    till.press("Tab")
    till.type("voucher 7")
    till.press("Enter")
    till.type("50")
    till.press("Enter")


def test_all_that_has_to_be_on_it_is(till: TillPage, store: Store) -> None:
    _sell_mixed(till, store)
    printed(till, 1)
    [key] = kept_keys(till)
    code = _short_code(key)
    paper = _paper(till)
    expect(paper).to_be_visible()
    expect(till.box).to_be_hidden()
    said = paper.inner_text()
    lines = [re.sub(r"\s+", " ", line).strip() for line in said.splitlines() if line.strip()]
    assert lines[:3] == ["Abarrotes El Sol", "El Sol, S.A. de C.V.", "RFC SOL010101AB1"]
    now = datetime.now(ZoneInfo("America/Tijuana"))
    assert f"{now.day}/{now:%m}/{now:%y}" in said
    together = re.sub(r"\s+", " ", said)
    assert "Caja 2" in together
    assert f"Atendió {store.usuario()}" in together
    assert "Refresco de cola 600 ml 2 × 17.00 34.00" in together
    assert "Queso Oaxaca 0.496 kg × 189.00 93.74" in together
    assert "Total MXN 127.74" in together
    assert "IVA 16 % de 29.31 4.69" in together  # 34.00 − 34.00 / 1.16
    assert "IVA 0 % de 93.74 0.00" in together
    assert "Tarjeta voucher 7 100.00" in together
    assert "Recibido 50.00" in together
    assert "Cambio 22.26" in together
    assert "COPIA" not in together
    assert f"{code[:4]}-{code[4:]}" in together
    assert lines[-1] == "Gracias por tu compra."


def test_it_is_72_mm_wide_and_nothing_sticks_out(till: TillPage, store: Store) -> None:
    _sell_mixed(till, store)
    printed(till, 1)
    paper = _paper(till)
    box = paper.bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(PAPER_PX, abs=0.5)
    assert paper.evaluate("node => node.scrollWidth <= Math.ceil(node.clientWidth)")
    bars = paper.get_by_role("img").bounding_box()
    assert bars is not None
    assert bars["width"] > PAPER_PX * 0.9
    assert bars["height"] > 10 / 25.4 * 96


def test_its_bars_say_its_code_and_a_scan_of_it_opens_the_sale(till: TillPage, store: Store) -> None:
    sell(till, store, "leche")
    printed(till, 1)
    [key] = kept_keys(till)
    code = _read_bars(_paper(till).get_by_role("img").evaluate(BARS))
    assert code == _short_code(key)
    _screen(till)
    sell(till, store, "refresco")
    printed(till, 2)
    till.scan(code)
    expect(till.dialog.get_by_role("heading", name=f"Venta {code[:4]}-{code[4:]}")).to_be_visible()
    expect(till.dialog).to_contain_text("Leche entera 1 L")
    till.press("Escape")
    till.type(f"{code[:4]}-{code[4:]}".lower())
    till.press("Enter")
    expect(till.dialog).to_contain_text("Leche entera 1 L")


def test_the_second_paper_says_that_it_is_a_copy(till: TillPage, store: Store) -> None:
    sell(till, store, "leche")
    states(till, "Persistida")
    printed(till, 1)
    till.press("Control+p")
    printed(till, 2)
    first, second = till.papers
    assert "COPIA" not in first
    assert "COPIA" in second
    assert re.search(r"Recibo\s*1(?!\d)", second), second  # its number is known by now
    till.press("F9", "Enter")
    expect(till.dialog.get_by_role("button", name="Reimprimir")).to_be_focused()
    till.press("Enter")
    printed(till, 3)
    assert "COPIA" in till.papers[2]


def test_nothing_is_printed_before_the_server_has_answered(till: TillPage, store: Store) -> None:
    till.go_offline()
    sell(till, store, "leche")
    states(till, "Guardada")
    till.press("Control+p")
    till.press("F9", "Enter")
    expect(till.dialog.get_by_role("button", name="Imprimir")).to_be_disabled()
    expect(till.dialog).to_contain_text("El recibo se podrá imprimir cuando el servidor conteste.")
    till.press("Escape")
    assert till.papers == []
    till.go_offline(off=False)
    states(till, "Persistida")
    printed(till, 1)


def test_who_does_not_want_paper_gets_none_until_they_ask(till: TillPage, store: Store) -> None:
    till.page.get_by_role("button", name="Ajustes").click()
    till.dialog.get_by_label("Imprimir automáticamente el recibo de la venta que se acaba de cobrar").uncheck()
    till.press("Escape")
    till.page.reload()
    expect(till.box).to_be_focused()
    sell(till, store, "leche")
    states(till, "Persistida")
    assert till.papers == []
    till.press("Control+p")
    printed(till, 1)
    assert "COPIA" not in till.papers[0]


def test_a_receipt_comes_although_the_next_product_was_quicker(till: TillPage, store: Store) -> None:
    seen: list[Route] = []

    def hold(route: Route) -> None:
        seen.append(route)

    till.page.route(CHECKOUT, hold)
    sell(till, store, "leche")
    until(till, lambda: seen, what="the sale is on the wire")
    till.scan(store.goods["pan"].codigo_barras)
    expect(till.line("Pan de molde")).to_be_visible()
    seen[0].continue_()
    states(till, "Persistida")
    printed(till, 1)
    assert "12.50" in till.papers[0]
