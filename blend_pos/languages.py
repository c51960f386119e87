"""The language of an answer, and the pages that have none of their own.

Django says of every answer that it varies by Accept-Language. A browser's Cache, where a service worker keeps the page
that it opens without the network, heeds that: asked in another language, it has no such page.
"""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware import locale
from django.utils import translation
from django.utils.cache import patch_vary_headers

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
MARK = "same_in_any_language"


def same_in_any_language(view: View) -> View:
    """Mark a view whose answer no language changes."""
    setattr(view, MARK, True)
    return view


class LocaleMiddleware(locale.LocaleMiddleware):
    """Django's, for a site whose addresses name no language; it says nothing of the language of marked views'
    answers."""

    def process_request(self, request: HttpRequest) -> None:
        """Speak the language that was asked for."""
        translation.activate(translation.get_language_from_request(request))
        request.LANGUAGE_CODE = translation.get_language()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Say which it was."""
        found = request.resolver_match
        if not (found and hasattr(found.func, MARK)):
            patch_vary_headers(response, ("Accept-Language",))
            response.headers.setdefault("Content-Language", translation.get_language())
        return response
