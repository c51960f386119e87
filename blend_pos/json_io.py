"""JSON in and out of the API, by orjson: a strict reader with bounds, and exact decimals."""

import json
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import IO, Any

import orjson
from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ParseError
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

MEDIA_TYPE = "application/json"
ANY_TYPE = "*/*"
MAX_DEPTH = 16
# The escape of the null character, not the text of one (an even number of backslashes before it).
NULL_TEXT = rb"\u0000"
NULL_ESCAPE = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def dumps(value: Any) -> bytes:
    """JSON in UTF-8. A Decimal is a number, digit by digit (1250.50)."""
    return orjson.dumps(value, default=_encode, option=orjson.OPT_NON_STR_KEYS)


def _encode(value: Any) -> Any:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f"))
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


class OrjsonRenderer(BaseRenderer):
    """JSON out."""

    media_type = MEDIA_TYPE
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The body; empty for None, as for a 204."""
        return b"" if data is None else dumps(data)


class JsonNegotiation(DefaultContentNegotiation):
    """DRF's, which takes each header apart; what nearly every client sends needs none of that."""

    def select_parser(self, request: Request, parsers: Iterable[BaseParser]) -> BaseParser | None:
        """The parser of the body's type."""
        known = list(parsers)
        same = next((parser for parser in known if parser.media_type == request.META.get("CONTENT_TYPE")), None)
        return same or super().select_parser(request, known)

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """Who renders the answer, and its type. Raises NotAcceptable."""
        only, *others = renderers
        accepted = request.META.get("HTTP_ACCEPT", ANY_TYPE)
        if only.media_type and not (others or format_suffix) and accepted in (ANY_TYPE, only.media_type):
            return only, only.media_type
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, [only, *others], format_suffix)
        return chosen


class OrjsonParser(BaseParser):
    """JSON in, numbers as int or float.

    NaN, Infinity, a null character, broken UTF-8, deep nesting and a name that an object has twice are refused.
    """

    media_type = MEDIA_TYPE

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The value of the body. Raises ParseError, a 400."""
        body = stream.read(settings.API_BODY_MAX_BYTES + 1)
        if len(body) > settings.API_BODY_MAX_BYTES:
            raise ParseError(
                _("El cuerpo pasa de %(maximo)d bytes.") % {"maximo": settings.API_BODY_MAX_BYTES},
                code="cuerpo_demasiado_grande",
            )
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise ParseError(
                _("El cuerpo no es JSON válido: línea %(linea)d, columna %(columna)d.")
                % {"linea": error.lineno, "columna": error.colno}
            ) from error
        if NULL_TEXT in body and NULL_ESCAPE.search(body):
            raise ParseError(_("El cuerpo lleva un carácter nulo."))
        if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _is_deeper(value, MAX_DEPTH):
            raise ParseError(_("El cuerpo tiene más de %(maximo)d niveles.") % {"maximo": MAX_DEPTH})
        if body.count(b":") > _count_pairs(value):  # a colon in a text, or a pair that orjson dropped
            _refuse_repeated_names(body)
        return value


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects are nested deeper than `levels`; walked a level at a time, without recursion."""
    level = [value]
    for _level in range(levels):
        level = [child for node in level for child in _children(node) if isinstance(child, (dict, list))]
        if not level:
            return False
    return True


def _count_pairs(value: Any) -> int:
    """How many names the objects have, all together."""
    count = 0
    left = [value]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            count += len(node)
        left += [child for child in _children(node) if isinstance(child, (dict, list))]
    return count


def _refuse_repeated_names(body: bytes) -> None:
    """Of two values under one name some readers take the first, some the last. Raises ParseError."""

    def check(pairs: list[tuple[str, Any]]) -> None:
        if len(dict(pairs)) < len(pairs):
            raise ParseError(_("El cuerpo repite un nombre dentro de un objeto."))

    json.loads(body, object_pairs_hook=check, parse_int=str, parse_float=str)


def _children(node: Any) -> Any:
    return node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
