"""What no address of ours has in it."""

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase

View = Callable[[HttpRequest], HttpResponseBase]
API_PREFIX = "/api/"
NULL = "%00"


def refuse_null(get_response: View) -> View:
    """A middleware: no text in PostgreSQL holds a null character, and not every page asks whether its query has one.

    The API does, and says in which field.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        is_api = request.path_info.startswith(API_PREFIX)
        if "\0" in request.path_info or (not is_api and NULL in request.META.get("QUERY_STRING", "")):
            raise SuspiciousOperation("a null character")
        return get_response(request)

    return answer
