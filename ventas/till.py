"""/caja/: the cashier's screen, as it was built from till/ into static/till; the same for everybody."""

import hashlib
from functools import cache
from pathlib import Path

from csp.decorators import csp_replace
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import condition, require_safe

from blend_pos.languages import same_in_any_language

BUILT = Path(__file__).parent / "static" / "till"
# The camera's decoder is WebAssembly; what it looks at is a blob.
POLICY = {
    "default-src": ["'none'"],
    "script-src": ["'self'", "'wasm-unsafe-eval'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:", "blob:"],
    "connect-src": ["'self'"],
    "worker-src": ["'self'"],
    "manifest-src": ["'self'"],
    "media-src": ["'self'", "blob:"],
    "form-action": ["'self'"],
    "object-src": None,
}
# The page is asked for each time and mostly answered with 304: a new version is seen at once.
HEADERS = {"Cache-Control": "no-cache", "Permissions-Policy": "camera=(self), microphone=(), geolocation=()"}


@cache
def _built(name: str) -> tuple[bytes, str]:
    """(a built file, its ETag): read once, it changes with a release alone."""
    content = (BUILT / name).read_bytes()
    return content, f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def _etag_of_page(_request: HttpRequest) -> str | None:
    return _built("index.html")[1] if (BUILT / "index.html").exists() else None


def _etag_of_worker(_request: HttpRequest) -> str | None:
    return _built("sw.js")[1] if (BUILT / "sw.js").exists() else None


def _answer(name: str, content_type: str) -> HttpResponse:
    if not (BUILT / name).exists():
        return HttpResponse(
            _("La caja no está construida: make till."), status=503, content_type="text/plain; charset=utf-8"
        )
    return HttpResponse(_built(name)[0], content_type=content_type, headers=HEADERS)


@same_in_any_language
@require_safe
@csp_replace(POLICY)
@condition(etag_func=_etag_of_page)
def page(request: HttpRequest) -> HttpResponse:
    """The till. Public: it signs in through the API."""
    return _answer("index.html", "text/html; charset=utf-8")


@same_in_any_language
@require_safe
@condition(etag_func=_etag_of_worker)
def service_worker(request: HttpRequest) -> HttpResponse:
    """The service worker, from where its scope is /caja/."""
    return _answer("sw.js", "text/javascript; charset=utf-8")
