"""A till by fingers: a sale by taps alone, lines that are swiped away, targets that a finger hits, at every size."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import OpenTill
from tests.browser.store import Store
from tests.browser.till_page import TillPage

LECHE, PAN = "Leche entera 1 L", "Pan de molde"
TABLETS = ((1024, 768), (800, 1280))
SIZES = ((1366, 768), (1024, 768), (800, 1280), (390, 844))
# What can be pressed and is on the screen: too small, too near to the next, or beyond the edge. Words that say which.
UNFIT = """({ least, apart }) => {
    const open = document.querySelector("dialog[open]") ?? document;
    const all = [...open.querySelectorAll("button, input, [role=option]")].filter((each) => {
        if (!each.checkVisibility()) return false;
        const { left, top, width, height } = each.getBoundingClientRect();
        const x = left + width / 2, y = top + height / 2;
        const pane = each.closest(".lines, .results, .side, dialog")?.getBoundingClientRect();
        if (pane && (top < pane.top || top + height > pane.bottom)) return false; // scrolled away, in part at least
        if (y < 0 || y > innerHeight) return false;
        const hit = document.elementFromPoint(Math.min(Math.max(x, 1), innerWidth - 1), y);
        return hit !== null && (each.contains(hit) || hit.closest("label")?.contains(each) === true);
    });
    const name = (each) => (each.ariaLabel ?? "") + " " + each.textContent.trim().slice(0, 30) + " <" + each.id + ">";
    const found = [];
    const boxes = all.map((each) => {
        const target = each.matches("[type=radio], [type=checkbox]") ? each.closest("label") : each;
        const { left, right, top, bottom, width, height } = target.getBoundingClientRect();
        if (width < least - 0.5 || height < least - 0.5) found.push(`small ${width}x${height}: ${name(each)}`);
        if (left < -0.5 || right > innerWidth + 0.5) found.push(`cut off: ${name(each)}`);
        return { each, left, right, top, bottom };
    });
    for (const [place, one] of boxes.entries()) {
        for (const other of boxes.slice(place + 1)) {
            const across = Math.max(other.left - one.right, one.left - other.right);
            const down = Math.max(other.top - one.bottom, one.top - other.bottom);
            if (across < apart - 0.5 && down < apart - 0.5) {
                found.push(`near ${across}, ${down}: ${name(one.each)} | ${name(other.each)}`);
            }
        }
    }
    for (const each of open.querySelectorAll(".figure, h1, h2, p, button")) {
        const { left, right, width } = each.getBoundingClientRect();
        if (width > 1 && each.checkVisibility() && (left < -0.5 || right > innerWidth + 0.5)) {
            found.push(`beyond the edge: ${name(each)}`);
        }
    }
    const { scrollWidth } = document.documentElement;
    if (scrollWidth > innerWidth) found.push(`scrolls to ${scrollWidth}`);
    return found;
}"""


def _unfit(till: TillPage, state: str) -> list[str]:
    return [f"{state}: {what}" for what in till.page.evaluate(UNFIT, {"least": 48, "apart": 8})]


def _tap(within: TillPage | Locator, *names: str) -> None:
    for name in names:
        root = within.page if isinstance(within, TillPage) else within
        root.get_by_role("button", name=name, exact=True).tap()


def _swipe_left(till: TillPage, line: Locator) -> None:
    """As a finger does: down, along, up."""
    box = line.locator(".line__name").bounding_box()
    assert box is not None
    finger = till.context.new_cdp_session(till.page)
    x, y = box["x"] + box["width"] - 10, box["y"] + box["height"] / 2
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
    # It rests before it leaves: a tap that follows a fling only stops it.
    for along in (25, 50, 75, 100, 125, 150, 150, 150, 150):
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": [{"x": x - along, "y": y}]})
        till.page.evaluate("() => new Promise(requestAnimationFrame)")
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    finger.detach()


@pytest.mark.parametrize("size", TABLETS)
def test_a_sale_by_taps_alone(open_till: OpenTill, store: Store, size: tuple[int, int]) -> None:
    till = open_till(size=size, touch=True).sign_in(store)
    _tap(till, "Teclado")
    pad = till.page.get_by_role("group", name="Teclado")
    _tap(pad, "2", "×", *store.goods["leche"].codigo_barras, "Aceptar")
    expect(till.line(LECHE)).to_contain_text("25.00")
    _tap(pad, *store.goods["tomate"].sku, "Aceptar")
    weight = till.dialog.get_by_role("group", name="Teclado")
    _tap(weight, "1", ".", "2", "3", "5", "Aceptar")
    expect(till.line("Tomate saladet")).to_contain_text("1.235 kg")
    expect(till.total).to_have_text("$65.63")
    _tap(till, "Teclado")
    till.page.get_by_role("button", name="Efectivo").tap()
    paying = till.page.get_by_role("region", name="Cobrar")
    _tap(paying.get_by_role("group", name="Teclado"), "1", "0", "0")
    _tap(paying, "Cobrar Enter")
    expect(till.change).to_have_text("34.37")


def test_a_swiped_line_is_gone_until_it_is_brought_back(open_till: OpenTill, store: Store) -> None:
    till = open_till(size=TABLETS[0], touch=True).sign_in(store)
    for key in ("leche", "pan"):
        till.scan(store.goods[key].codigo_barras)
    expect(till.lines).to_have_count(2)
    _swipe_left(till, till.line(LECHE))
    expect(till.lines).to_have_count(1)
    expect(till.page.get_by_text(f"{LECHE} se quitó.")).to_be_visible()
    till.page.get_by_role("button", name="Deshacer").tap()
    expect(till.lines).to_contain_text([LECHE, PAN])


def _states(till: TillPage, store: Store) -> Iterator[str]:
    yield "empty"
    till.type("de")
    expect(till.results).to_have_count(4)
    yield "results"
    till.press("Escape")
    for key in ("leche", "refresco", "pan"):
        till.scan(store.goods[key].codigo_barras)
    expect(till.lines).to_have_count(3)
    yield "selling"
    till.press("Enter")
    expect(till.dialog).to_be_visible()
    yield "quantity"
    till.press("Escape", "Delete")
    expect(till.lines).to_have_count(2)
    yield "removed"
    yield from _paying(till, store)
    yield from _dialogs(till)


def _paying(till: TillPage, store: Store) -> Iterator[str]:
    till.press("F6")
    expect(till.page.get_by_role("region", name="Cobrar")).to_be_visible()
    till.press("5", "Enter")
    expect(till.page.get_by_role("list", name="Pagos")).to_be_visible()
    yield "mixed"
    till.press("F4")
    till.press("Escape", "F2")
    yield "cash"
    till.press("Enter")
    expect(till.page.get_by_role("region", name="Cobrado")).to_be_visible()
    yield "change"
    till.scan(store.goods["leche"].codigo_barras)
    till.press("F2", "Enter")
    expect(till.page.get_by_role("region", name="Cobrado")).to_be_visible()
    till.scan(store.goods["leche"].codigo_barras)
    expect(till.lines).to_have_count(1)
    yield "sold"


def _dialogs(till: TillPage) -> Iterator[str]:
    till.press("F7", "F8")
    expect(till.dialog.get_by_role("listitem")).to_have_count(1)
    yield "parked"
    till.press("Escape", "?")
    expect(till.dialog).to_be_visible()
    yield "help"
    till.press("Escape")
    till.page.get_by_role("button", name="Ajustes").click()
    expect(till.dialog).to_be_visible()
    yield "settings"
    till.press("Escape")


@pytest.mark.parametrize("size", SIZES)
def test_everything_is_there_and_a_finger_hits_it(open_till: OpenTill, store: Store, size: tuple[int, int]) -> None:
    till = open_till(size=size, touch=True)
    unfit = _unfit(till, "signed out")
    till.sign_in(store)
    for state in _states(till, store):
        unfit += _unfit(till, state)
    assert not unfit, "\n".join(unfit)
