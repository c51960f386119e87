"""A code that a camera sees: Chromium's own fake camera shows a picture that the test has drawn."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserType, expect

from scripts import binaries
from tests.browser.store import Store
from tests.browser.till_page import TillPage
from tests.browser.watching import Watch
from tests.pipeline.processes import Pipeline

WIDTH, HEIGHT, MODULE = 640, 480, 4
LEFT = ("0001101", "0011001", "0010011", "0111101", "0100011", "0110001", "0101111", "0111011", "0110111", "0001011")
PARITY = ("000000", "001011", "001101", "001110", "010011", "011001", "011100", "010101", "010110", "011010")
SEEN_MS = 20_000


def _bars(code: str) -> str:
    """An EAN-13 as its 95 modules, 1 is black."""
    first, *digits = (int(digit) for digit in code)
    right = [LEFT[digit].translate(str.maketrans("01", "10")) for digit in digits]
    left = [
        right[place][::-1] if odd == "1" else LEFT[digit]
        for place, (digit, odd) in enumerate(zip(digits[:6], PARITY[first], strict=True))
    ]
    return "".join(("101", *left, "01010", *right[6:], "101"))


def _film(code: str, path: Path) -> Path:
    """Two frames of the code, black on white, as YUV4MPEG2."""
    bars = b"".join((b"\x10" if bar == "1" else b"\xeb") * MODULE for bar in _bars(code))
    margin = (WIDTH - len(bars)) // 2
    row = b"\xeb" * margin + bars + b"\xeb" * (WIDTH - margin - len(bars))
    blank = b"\xeb" * WIDTH
    luma = blank * 120 + row * 240 + blank * 120
    frame = b"FRAME\n" + luma + b"\x80" * (WIDTH * HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 2)
    return path


@pytest.fixture
def chromium(browser: Browser) -> BrowserType:
    return browser.browser_type


@pytest.fixture
def filmed(chromium: BrowserType, store: Store, tmp_path: Path) -> Iterator[Browser]:
    """A Chromium of its own, whose camera looks at a carton of milk."""
    film = _film(store.goods["leche"].codigo_barras, tmp_path / "leche.y4m")
    found = chromium.launch(
        executable_path=binaries.chromium(),
        args=[
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--use-fake-device-for-media-stream",
            "--use-fake-ui-for-media-stream",
            f"--use-file-for-fake-video-capture={film}",
        ],
        chromium_sandbox=os.geteuid() != 0,
    )
    yield found
    found.close()


def test_the_camera_finds_the_code(filmed: Browser, store: Store, pipeline: Pipeline, tmp_path: Path) -> None:
    context = filmed.new_context(locale="es-MX", permissions=["camera"], viewport={"width": 1366, "height": 768})
    watch = Watch(context, url=pipeline.web.url)
    fetched: list[str] = []
    context.on("request", lambda request: fetched.append(request.url))
    till = TillPage(context.new_page(), url=pipeline.web.url, watch=watch, folder=tmp_path).open().sign_in(store)
    expect(till.page.get_by_role("button", name="Cámara")).to_be_visible()
    assert not _decoder(fetched)
    for quantity in ("1", "2"):
        till.press("F10")
        expect(till.dialog.get_by_role("heading", name="Escanear con la cámara")).to_be_visible()
        expect(till.line("Leche entera 1 L").get_by_role("button", name="Cantidad de")).to_have_text(
            quantity, timeout=SEEN_MS
        )
        expect(till.dialog).to_have_count(0)
        expect(till.box).to_be_focused()
    assert _decoder(fetched)
    assert all(url.startswith(pipeline.web.url) for url in _decoder(fetched))
    context.close()
    watch.assert_clean()


def _decoder(fetched: list[str]) -> list[str]:
    return [url for url in fetched if url.endswith(".wasm") or "/decoder-" in url]
