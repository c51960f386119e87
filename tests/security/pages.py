"""What every answer brings along, whoever gets it."""

import hashlib
from base64 import b64encode
from html.parser import HTMLParser
from typing import Any

FORBIDDEN = ("unsafe-inline", "unsafe-eval'", "*", "http:", "https:")
FRAME, OWN = "frame-ancestors 'none'", ("/", "#", "?", "data:image/")


class Strict(HTMLParser):
    """Finds what a strict policy would not run, or would fetch elsewhere."""

    def __init__(self, policy: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._policy = policy
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self._inside = tag if tag in {"script", "style"} and "src" not in given else ""
        for name, value in given.items():
            if name == "style" or name.startswith("on") or "javascript:" in (value or "").lower():
                self.found.append(f"<{tag} {name}={value}>")
            if name in {"src", "action"} and value and not value.startswith(OWN):
                self.found.append(f"<{tag} {name}={value}>")

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            digest = b64encode(hashlib.sha256(data.encode()).digest()).decode()
            if f"'sha256-{digest}'" not in self._policy:
                self.found.append(f"<{self._inside}> {data[:60]}")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""


def assert_guarded(answer: Any) -> None:
    """Its policy is strict and its page keeps to it; nobody frames, sniffs, stores it, or learns from where it came."""
    policy = answer.headers["Content-Security-Policy"]
    assert FRAME in policy
    assert "form-action 'self'" in policy
    assert "base-uri 'none'" in policy
    assert not [word for word in FORBIDDEN if word in policy.replace("'wasm-unsafe-eval'", "")], policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "no-store" in answer.headers["Cache-Control"] or answer.headers["Cache-Control"] == "no-cache"
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        page = Strict(policy)
        page.feed(answer.content.decode())
        assert not page.found, page.found
