"""What no address of ours has in it."""

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase

View = Callable[[HttpRequest], HttpResponseBase]
NULL = "%00"


def refuse_null(get_response: View) -> View:
    """A middleware: no text in PostgreSQL holds a null character, and not every view asks whether its query has one."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if NULL in request.META.get("QUERY_STRING", "") or "\0" in request.path_info:
            raise SuspiciousOperation("a null character")
        return get_response(request)

    return answer
