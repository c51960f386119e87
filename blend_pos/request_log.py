"""One line a request: what was asked, what was answered, how long it took, of which tienda and sale.

Never a header, a body or a query: they hold tokens and what customers pay with.
"""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import UUID

import structlog
from django.http import HttpRequest, HttpResponseBase

from blend_pos.tiendas.access import Seat

log = structlog.get_logger("request")

LONGEST_PATH = 200


def request_line(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """The outermost middleware: it sees every answer, and times it from the request's arrival."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        arrival = request.META.get("blend.arrival") or time.monotonic()
        response = get_response(request)
        say = log.info if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else log.warning
        say(
            "request",
            method=request.method,
            path=request.path[:LONGEST_PATH],
            status=response.status_code,
            ms=round((time.monotonic() - arrival) * 1000, 2),
            **_about(request, response),
        )
        return response

    return answer


def _about(request: HttpRequest, response: HttpResponseBase) -> dict[str, str]:
    """The tienda and the sale, where there are such; the error's code, where it is one of the API's."""
    fields = {}
    seat = getattr(request, "auth", None)
    if isinstance(seat, Seat):
        fields["tienda"] = str(seat.tienda_id)
    answered = getattr(response, "data", None)  # of the API's answers
    body: dict[str, Any] = answered if isinstance(answered, dict) else {}
    venta_id = body.get("venta_id") or _asked_for(request)
    if venta_id:
        fields["venta_id"] = str(venta_id)
    if "codigo" in body:
        fields["codigo"] = str(body["codigo"])
    return fields


def _asked_for(request: HttpRequest) -> UUID | None:
    """The sale of a request whose answer does not name it: by its address, or by its Idempotency-Key."""
    match = request.resolver_match
    if match is not None and isinstance(match.kwargs.get("venta_id"), UUID):
        named: UUID = match.kwargs["venta_id"]
        return named
    key = request.META.get("HTTP_IDEMPOTENCY_KEY")
    try:
        return UUID(key) if key else None
    except ValueError:
        return None
