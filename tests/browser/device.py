"""What a device kept and what it sent: its sales in IndexedDB, its requests on the wire."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from playwright.sync_api import BrowserContext, Request, Response, expect

from tests.browser.store import Store
from tests.browser.till_page import TillPage
from tests.pipeline.processes import Pipeline
from tests.polling import wait_until

CHECKOUT = "**/api/v1/ventas/checkout"
SOON_MS = 20_000
KEPT = """() => new Promise((answer, fail) => {
    const opening = indexedDB.open("caja");
    opening.onerror = () => fail(opening.error);
    opening.onsuccess = () => {
        const db = opening.result;
        const asked = db.transaction("ventas").objectStore("ventas").getAll();
        asked.onsuccess = () => { db.close(); answer(asked.result); };
    };
})"""


@dataclass(slots=True)
class Sent:
    """A checkout that left the device; `status` None: no answer came. Moments are the test's monotonic clock."""

    key: UUID
    at: float
    status: int | None = None
    retry_after_s: int | None = None
    answered_at: float | None = None


class Wire:
    """The checkouts of a device, in the order in which they left it."""

    def __init__(self, context: BrowserContext) -> None:
        self.sent: list[Sent] = []
        self._open: dict[Request, Sent] = {}
        context.on("request", self._leave)
        context.on("response", self._answer)

    @property
    def keys(self) -> list[UUID]:
        return [one.key for one in self.sent]

    @property
    def statuses(self) -> list[int | None]:
        return [one.status for one in self.sent]

    def _leave(self, request: Request) -> None:
        if request.url.endswith("/ventas/checkout"):
            self._open[request] = Sent(UUID(request.headers["idempotency-key"]), time.monotonic())
            self.sent.append(self._open[request])

    def _answer(self, response: Response) -> None:
        one = self._open.get(response.request)
        if one is not None:
            after = response.headers.get("retry-after")
            one.status = response.status
            one.retry_after_s = None if after is None else int(after)
            one.answered_at = time.monotonic()


def kept(till: TillPage) -> list[dict[str, Any]]:
    """The sales on the device, in the order in which they were made."""
    found: list[dict[str, Any]] = till.page.evaluate(KEPT)
    return sorted(found, key=lambda sale: (sale["fecha"], sale["id"]))


def kept_keys(till: TillPage) -> list[UUID]:
    return [UUID(sale["id"]) for sale in kept(till)]


def sell(till: TillPage, store: Store, *goods: str) -> None:
    """Scan each (leche where none is named), and take cash for it, exactly. Returns when the device has the sale."""
    for name in goods or ("leche",):
        before = till.lines.count()
        till.scan(store.goods[name].codigo_barras)
        expect(till.line(store.goods[name].nombre)).to_be_visible()
        assert till.lines.count() >= before
    till.press("F2", "Enter")
    expect(till.page.get_by_role("region", name="Cobrado")).to_be_visible()


def states(till: TillPage, *words: str) -> None:
    """Wait until the side list says just these, newest first."""
    expect(till.sales).to_contain_text(list(words), timeout=SOON_MS)


def printed(till: TillPage, papers: int) -> None:
    """Wait until this window has printed so many receipts, and no more."""
    until(till, lambda: len(till.papers) >= papers, what=f"{papers} receipts")
    assert len(till.papers) == papers


def until(till: TillPage, condition: Callable[[], object], *, what: str, timeout_s: float = 20) -> None:
    """Wait for a condition outside the page; the page's events are heard meanwhile."""

    def heard() -> object:
        till.page.evaluate("0")
        return condition()

    wait_until(heard, timeout_s=timeout_s, what=what)


def assert_sold_once(pipeline: Pipeline, store: Store, *tills: TillPage, sales: int) -> None:
    """So many sales, each written once, under the keys that the devices kept; PostgreSQL, ledger and Redis agree."""
    store.shop.come_to_rest(pipeline.host)
    keys = [key for till in tills for key in kept_keys(till)]
    assert len(keys) == len(set(keys)) == sales
    assert store.shop.written() == dict.fromkeys(keys, 1)
    store.shop.assert_exact()
