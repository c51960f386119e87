"""The till as a person uses it: by what it reads on the screen, by keys, by a scanner."""

import os
import time
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.store import CLAVE, Store
from tests.browser.watching import Watch

TYPING_MS = 60  # slower than a scanner: wedge.ts tells them apart at 35
SCANNER_S = 0.001
SYNC_MS = 10_000
SCREENSHOTS = "SCREENSHOTS"  # in the environment: a folder that keeps the pictures
ACTIVE = "navigator.serviceWorker.ready.then(({active}) => active.state)"


class TillPage:
    """One window of the till, in Spanish. Its context is a device of its own: other storage, other cookies."""

    def __init__(self, page: Page, *, url: str, watch: Watch, folder: Path) -> None:
        self.page = page
        self.watch = watch
        self._url = url
        self._folder = Path(os.environ.get(SCREENSHOTS) or folder)

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    # --- coming in

    def open(self) -> "TillPage":
        self.page.goto(f"{self._url}/caja/")
        return self

    def sign_in(self, store: Store, *, rol: str = "cajero", terminal: int = 1) -> "TillPage":
        """Through the screen; where there are several, the till of that number. Returns with the catalogue there."""
        self.enter(store, rol=rol, terminal=terminal)
        expect(self.page.get_by_text("Escanea el primer producto")).to_be_visible(timeout=SYNC_MS)
        return self

    def enter(self, store: Store, *, rol: str = "cajero", terminal: int = 1) -> None:
        """As `sign_in`, but without waiting for the catalogue."""
        self.page.get_by_label("Usuario", exact=True).fill(store.usuario(rol))
        self.page.get_by_label("Contraseña", exact=True).fill(CLAVE)
        self.page.get_by_role("button", name="Entrar").click()
        choice = self.page.get_by_role("button", name=f"Terminal {terminal}")
        expect(self.box.or_(choice).first).to_be_visible()
        if choice.is_visible():
            choice.click()

    def another_window(self) -> "TillPage":
        """A second tab of the same device."""
        return TillPage(self.context.new_page(), url=self._url, watch=self.watch, folder=self._folder).open()

    # --- keys

    def scan(self, code: str) -> None:
        """As a scanner does, wherever the focus is: at once, then Enter. However busy the machine, the keys lie
        `SCANNER_S` apart, as the till sees it: a device dates its keys itself."""
        device = self.context.new_cdp_session(self.page)
        now = time.time()
        for place, key in enumerate([*code, "Enter"]):
            moment = now + place * SCANNER_S
            text = "\r" if key == "Enter" else key
            device.send("Input.dispatchKeyEvent", {"type": "keyDown", "key": key, "text": text, "timestamp": moment})
            device.send("Input.dispatchKeyEvent", {"type": "keyUp", "key": key, "timestamp": moment})
        device.detach()

    def type(self, text: str) -> None:
        """As a hand does, wherever the focus is."""
        self.page.keyboard.type(text, delay=TYPING_MS)

    def press(self, *keys: str) -> None:
        """One after the other: "F2", "Enter", "ArrowDown", "Control+z"."""
        for key in keys:
            self.page.keyboard.press(key, delay=TYPING_MS)

    # --- what is on the screen

    @property
    def box(self) -> Locator:
        return self.page.get_by_role("combobox", name="Escanea o escribe un producto")

    @property
    def results(self) -> Locator:
        return self.page.get_by_role("listbox", name="Productos").get_by_role("option")

    @property
    def lines(self) -> Locator:
        return self.page.get_by_role("list", name="Carrito").get_by_role("listitem")

    def line(self, nombre: str) -> Locator:
        return self.lines.filter(has_text=nombre)

    @property
    def total(self) -> Locator:
        """The largest figure there is: what the cart costs."""
        return self.page.get_by_role("region", name="Total").get_by_role("status")

    @property
    def change(self) -> Locator:
        """What goes back to the customer, after a sale; a sale without cash shows its total there."""
        return self.page.get_by_role("region", name="Cobrado").get_by_role("status")

    @property
    def sales(self) -> Locator:
        """The last sales, newest first; each says its state: En cola, Persistida, Por revisar…"""
        return self.page.get_by_role("region", name="Últimas ventas").get_by_role("listitem")

    @property
    def dialog(self) -> Locator:
        return self.page.get_by_role("dialog")

    @property
    def papers(self) -> list[str]:
        """The text of each receipt that was printed since this window was opened or reloaded."""
        found: list[str] = self.page.evaluate("globalThis.papers")
        return found

    # --- the device

    def wait_for_worker(self) -> None:
        """Until the service worker is active: from here on the till opens without the network."""
        assert self.page.evaluate(ACTIVE) in {"activating", "activated"}

    def go_offline(self, *, off: bool = True) -> None:
        """The device's network, off or on again, for all its windows."""
        self.context.set_offline(off)

    def assert_accessible(self) -> None:
        """axe finds nothing, by all its rules. It comes in by the debugger, which the page's CSP does not bind."""
        found = Axe().run(self.page)
        assert found.violations_count == 0, found.generate_report()

    def photograph(self, name: str, *, whole: bool = False) -> Path:
        """A picture, in the folder that SCREENSHOTS names, else in the test's own."""
        path = self._folder / f"{name}.png"
        self.page.screenshot(path=path, full_page=whole, animations="disabled", caret="initial")
        return path
