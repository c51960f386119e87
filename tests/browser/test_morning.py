"""A cashier's morning, from the sign-in to the last sale, with the network away for a while; and what is kept of it."""

import pytest
from playwright.sync_api import expect

from tests.browser.books import Books, card, cash, transfer
from tests.browser.conftest import OpenTill
from tests.browser.store import open_store, scale_code
from tests.browser.till_page import TillPage
from tests.pipeline.processes import Pipeline

PERSISTED_MS = 20_000
BACK_MS = 40_000  # the till asks whether the server is back, ever more seldom


def _assert_persisted(till: TillPage, count: int, *, timeout: float = PERSISTED_MS) -> None:
    """So many sales in the list, each of them written."""
    expect(till.sales).to_have_count(count)
    expect(till.sales.filter(has_text="Persistida")).to_have_count(count, timeout=timeout)


def _sell_by_each_kind(till: TillPage, books: Books) -> None:
    goods = books.store.goods
    # Cash, with change: two of milk and one more, by its multiplier.
    till.type("3*")
    till.scan(goods["leche"].codigo_barras)
    expect(till.total).to_contain_text("37.50")
    till.press("F2")
    till.type("50")
    till.press("Enter")
    expect(till.change).to_have_text("12.50")
    books.add([("leche", "3")], cash("37.50", "50.00"))
    # Card, with what its slip says.
    till.scan(goods["refresco"].codigo_barras)
    till.press("F3")
    till.type("voucher 0042")
    till.press("Enter")
    _assert_persisted(till, 2)
    books.add([("refresco", "1")], card("17.00", "voucher 0042"))
    # Transfer: tomatoes, whose weight is typed, with a comma.
    till.type("tomate")
    expect(till.results.first).to_contain_text("Tomate saladet")
    till.press("Enter")
    till.type("1,235")
    till.press("Enter")
    expect(till.line("Tomate saladet")).to_contain_text("40.63")
    till.press("F4")
    till.type("SPEI 7781")
    till.press("Enter")
    _assert_persisted(till, 3)
    books.add([("tomate", "1.235")], transfer("40.63", "SPEI 7781"))
    # Mixed: cheese by the scale's code, half a kilo less four grams.
    till.scan(scale_code(goods["queso"], 496))
    expect(till.total).to_contain_text("93.74")
    till.press("F6")
    till.press("F3")
    till.type("60")
    till.press("Tab")
    till.type("voucher 0043")
    till.press("Enter")
    till.type("40")
    till.press("Enter")
    expect(till.change).to_have_text("6.26")
    _assert_persisted(till, 4)
    books.add([("queso", "0.496")], card("60.00", "voucher 0043"), cash("33.74", "40.00"))


def _take_what_is_left(till: TillPage, books: Books) -> None:
    """Four loaves are asked for, three are there: the till says so, and sells three."""
    goods = books.store.goods
    till.type("4*")
    till.scan(goods["pan"].codigo_barras)
    till.scan(goods["leche"].codigo_barras)
    till.press("F2", "Enter")
    expect(till.page.get_by_role("alert")).to_contain_text("Quedan 3 de Pan de molde")
    till.press("Enter")
    expect(till.total).to_contain_text("66.50")
    till.press("F2", "Enter")
    _assert_persisted(till, 5)
    books.add([("pan", "3"), ("leche", "1")], cash("66.50", "66.50"))


def _sell_without_the_network(till: TillPage, books: Books) -> None:
    goods = books.store.goods
    till.wait_for_worker()
    till.go_offline()
    till.scan(goods["leche"].codigo_barras)
    till.press("F2", "Enter")
    expect(till.page.get_by_text("Sin conexión · 1 venta guardada en esta caja")).to_be_visible()
    books.add([("leche", "1")], cash("12.50", "12.50"))
    till.scan(scale_code(goods["tomate"], 980))
    till.press("F3")
    till.type("voucher 0044")
    till.press("Enter")
    expect(till.sales.filter(has_text="Guardada")).to_have_count(2)
    books.add([("tomate", "0.98")], card("32.24", "voucher 0044"))
    till.scan(goods["refresco"].codigo_barras)
    expect(till.line("Refresco de cola 600 ml")).to_be_visible()
    till.page.reload()
    expect(till.page.get_by_text("Sin conexión · 2 ventas guardadas en esta caja")).to_be_visible()
    expect(till.line("Refresco de cola 600 ml")).to_be_visible()
    till.scan(goods["refresco"].codigo_barras)
    till.press("F2")
    till.type("50")
    till.press("Enter")
    expect(till.change).to_have_text("16.00")
    expect(till.page.get_by_text("Sin conexión · 3 ventas guardadas en esta caja")).to_be_visible()
    books.add([("refresco", "2")], cash("34.00", "50.00"))
    assert len(books.store.shop.ventas()) == 5


@pytest.mark.timeout(180)
def test_a_cashiers_morning(open_till: OpenTill, pipeline: Pipeline) -> None:
    store = open_store(terminals=2)
    books = Books(store)
    till = open_till().sign_in(store, terminal=2)
    expect(till.page.get_by_text("Terminal 2 · ")).to_be_visible()
    _sell_by_each_kind(till, books)
    _take_what_is_left(till, books)
    _sell_without_the_network(till, books)
    till.go_offline(off=False)
    _assert_persisted(till, 8, timeout=BACK_MS)
    expect(till.page.get_by_text("En línea")).to_be_visible()
    books.assert_kept(pipeline)
    assert {str(venta.terminal_id) for venta in store.shop.ventas()} == {str(store.shop.seats[1].terminal_id)}
