"""The language of an answer, and the pages that have none of their own.

Django says of every answer that it varies by Accept-Language. A browser's Cache, where a service worker keeps the page
that it opens without the network, heeds that: asked in another language, it has no such page.
"""

from collections.abc import Callable
from typing import TypeVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware import locale

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
MARK = "same_in_any_language"


def same_in_any_language(view: View) -> View:
    """Mark a view whose answer no language changes."""
    setattr(view, MARK, True)
    return view


class LocaleMiddleware(locale.LocaleMiddleware):
    """Django's, which says nothing of the language of such a view's answers."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        found = request.resolver_match
        return response if found and hasattr(found.func, MARK) else super().process_response(request, response)
