"""What a page must never do, whatever a test is about: it is written down here, and fails the test at its end."""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

OURS = ("data", "blob")
# The browser says this of every answer from 400 on, and of every request while the network is off.
NETWORK = "Failed to load resource:"
OWN_FILES = ("/static/", "/caja/")


class Watch:
    """Errors in the console (a violation of the CSP is one), uncaught errors, files that are missing, other origins."""

    def __init__(self, context: BrowserContext, *, url: str) -> None:
        self._origin = urlsplit(url)[:2]
        self._seen: list[str] = []
        context.on("console", self._hear)
        context.on("weberror", self._catch)
        context.on("request", self._follow)
        context.on("response", self._read)

    def assert_clean(self, *, but: Sequence[str] = ()) -> None:
        """Nothing was seen, besides what holds one of `but`."""
        left = [seen for seen in self._seen if not any(part in seen for part in but)]
        assert not left, "\n".join(left)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not message.text.startswith(NETWORK):
            self._seen.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _catch(self, error: WebError) -> None:
        self._seen.append(f"uncaught: {error.error}")

    def _follow(self, request: Request) -> None:
        address = urlsplit(request.url)
        if address[:2] != self._origin and address.scheme not in OURS:
            self._seen.append(f"another origin: {request.method} {request.url}")

    def _read(self, response: Response) -> None:
        if response.status >= HTTPStatus.BAD_REQUEST and urlsplit(response.url).path.startswith(OWN_FILES):
            self._seen.append(f"missing: {response.status} {response.url}")
