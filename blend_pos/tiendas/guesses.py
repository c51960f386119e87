"""A limit to guessing tokens: by client address, or by the token where it once was ours.

A shop has one address for all its tills. So nothing is looked up here for a token that Redis knows, and a token that
was made here (tokens.is_ours) is never counted under an address: whatever else that address sends, it opens.
"""

from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Any, cast

from django.conf import settings
from django.http import HttpRequest

from blend_pos.tiendas import access_cache
from blend_pos.tiendas.access_cache import token_name
from blend_pos.tiendas.tokens import is_ours

IPV6_OF_ONE_CLIENT = 64  # bits: within them a client chooses its addresses itself


class TooManyGuesses(Exception):
    """Too many tokens that open nothing came under this name."""

    retry_after_s: int = settings.TOKEN_GUESSES_WINDOW_S


def suspect_of(*, request: HttpRequest, token: str) -> str:
    """Under which name a token counts, if it opens nothing."""
    return token_name(token) if is_ours(token) else f"direccion:{client_address(request)}"


def client_address(request: HttpRequest) -> str:
    """Where a request comes from: the other end, or whom the proxy in front of us names; of IPv6 its network."""
    address: Any = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_PROXY:  # it appends whom it sees: what stands before that anybody may have written
        address = request.headers.get("X-Forwarded-For", address).rpartition(",")[2].strip()
    with suppress(ValueError):
        address = ip_address(address)
        if isinstance(address, IPv6Address):
            return str(ip_network((address, IPV6_OF_ONE_CLIENT), strict=False))
        return str(address)
    return "desconocida"


def refuse_more(*, suspect: str) -> None:
    """Raise TooManyGuesses where enough came under this name already.

    What comes at the same time is not counted yet: the bound is the limit and what the web processes answer at once.
    """
    with access_cache.answering():
        count = cast("bytes | None", access_cache.client().get(_key(suspect)))
    if count is not None and int(count) >= settings.TOKEN_GUESSES_MAX:
        raise TooManyGuesses


def count_guess(*, suspect: str) -> None:
    """One more, within the window that the first one opened."""
    with access_cache.answering(), access_cache.client().pipeline(transaction=True) as pipeline:
        pipeline.set(_key(suspect), 0, ex=settings.TOKEN_GUESSES_WINDOW_S, nx=True)
        pipeline.incr(_key(suspect))
        pipeline.execute()


def _key(suspect: str) -> str:
    return f"adivinanzas:{suspect}"
