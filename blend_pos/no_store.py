"""Answers hold what people sold, and who they are: no cache keeps one, unless its view says how."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

View = Callable[[HttpRequest], HttpResponseBase]


def no_store(get_response: View) -> View:
    """A middleware below the static files, which have rules of their own."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return answer
