"""One request over HTTP, as a till or a proxy sends it: bounded in time and bytes."""

import json
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

TIMEOUT_S = 3.0
MOST_BYTES = 4 * 1024 * 1024
CHECKOUT = "/api/v1/ventas/checkout"


class _Staying(urllib.request.HTTPRedirectHandler):
    """Whoever is asked answers: a token goes nowhere else."""

    def redirect_request(self, *args: Any, **options: Any) -> None:
        """Not followed."""


def ask(
    url: str, *, headers: Mapping[str, str] | None = None, data: bytes | None = None, within_s: float = TIMEOUT_S
) -> tuple[int, bytes]:
    """(status, the body's beginning). Raises OSError where nothing answers within that, ValueError for what is no
    address."""
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ValueError(_("%(url)s no es una dirección") % {"url": url.rpartition("@")[2]})
    parts = urlsplit(url)
    sent = dict(headers or {})
    if "@" in parts.netloc:  # as a browser does; urllib would take the password for a port, and say it aloud
        user, _at, host = parts.netloc.rpartition("@")
        sent.setdefault("Authorization", f"Basic {b64encode(unquote(user).encode()).decode()}")
        url = parts._replace(netloc=host).geturl()
    asking = urllib.request.Request(url, data=data, headers=sent)
    opener = (
        urllib.request.build_opener(_Staying) if asking.has_header("Authorization") else urllib.request.build_opener()
    )
    try:
        with opener.open(asking, timeout=within_s) as answer:
            return answer.status, answer.read(MOST_BYTES)
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read(MOST_BYTES)


def as_the_proxy(url: str) -> dict[str, str]:
    """As it asks in front of web: over TLS, and under a name that web answers to."""
    host = urlsplit(url).hostname
    own = [name for name in settings.ALLOWED_HOSTS if name and "*" not in name and not name.startswith(".")]
    headers = {"X-Forwarded-Proto": "https"} if settings.BEHIND_PROXY else {}
    if own and host not in own and f"[{host}]" not in own:
        headers["Host"] = own[0]
    return headers


def read_fields(body: bytes) -> dict[str, Any]:
    """A JSON object; empty where it is something else."""
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
