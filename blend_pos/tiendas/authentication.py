"""How a request shows who asks: a terminal's token, or a person's session. Each costs one read from Redis, no SQL."""

import re
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from blend_pos.tiendas import guesses
from blend_pos.tiendas.access import Access, Seat, take_seat
from blend_pos.tiendas.access_cache import session_name, token_name
from blend_pos.tiendas.access_lookup import find_access

REALM = 'Bearer realm="blend_pos"'
# As knox and Django make them: anything else is not looked up at all.
TOKEN_SHAPE = re.compile(rf"{settings.REST_KNOX['TOKEN_PREFIX']}[0-9a-f]{{64}}")
SESSION_KEY_SHAPE = re.compile(r"[0-9a-z]{32}")


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks, as `request.user`: no row of the database. What they may do is in `request.auth`, a Seat."""

    id: int
    username: str
    is_authenticated: ClassVar[bool] = True
    is_anonymous: ClassVar[bool] = False
    is_active: ClassVar[bool] = True

    @property
    def pk(self) -> int:
        """The person's id, under the name that models give it."""
        return self.id

    def get_username(self) -> str:
        """The person's login name."""
        return self.username

    def __str__(self) -> str:
        return self.username


class TokenAccess(BaseAuthentication):
    """`Authorization: Bearer <token>`: one terminal of one tienda. Guessing is limited (docs/adr/0026)."""

    def authenticate(self, request: Request) -> tuple[Person, Seat] | None:
        """Seat the token's terminal; None without such a header.

        Raises 401, TooManyGuesses, AccessUnavailable, SeatRefused.
        """
        scheme, _space, token = request.META.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        token = token.strip()
        access = self._find(request, token)
        if access is None:
            raise AuthenticationFailed(_("El token no existe, venció o fue revocado."))
        return _seated(request, access)

    def _find(self, request: Request, token: str) -> Access | None:
        """What it opens. What has not even the shape of a token is looked up nowhere, and counted."""
        if TOKEN_SHAPE.fullmatch(token):
            suspect = partial(guesses.suspect_of, request=request, token=token)
            return find_access(name=token_name(token), now=timezone.now(), suspect=suspect)
        guesses.refuse_more(suspect=guesses.suspect_of(request=request, token=token))
        guesses.count_guess(suspect=guesses.suspect_of(request=request, token=token))
        return None

    def authenticate_header(self, request: Request) -> str:
        """What a 401 says in WWW-Authenticate."""
        return REALM


class SessionAccess(SessionAuthentication):
    """The cookie of Django's session, with Django's CSRF token on everything that changes something.

    All windows of a browser share it. `X-Usuario-ID` says whom a window believes signed in: anybody else is refused.
    """

    def authenticate(self, request: Request) -> tuple[Person, Seat] | None:
        """Seat the session's person; None without a live session. Raises 401, 403, AccessUnavailable, SeatRefused."""
        session_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "")
        if not SESSION_KEY_SHAPE.fullmatch(session_key):
            return None
        access = find_access(name=session_name(session_key), now=timezone.now())
        if access is None:
            return None
        if request.headers.get("X-Usuario-ID", str(access.usuario_id)) != str(access.usuario_id):
            raise AuthenticationFailed(
                _("En este navegador entró otra persona: vuelve a entrar con tu nombre."), code="otra_persona"
            )
        self.enforce_csrf(request)
        return _seated(request, access)

    def enforce_csrf(self, request: Request) -> None:
        """As Django's; its refusal has a code of its own."""
        try:
            super().enforce_csrf(request)
        except PermissionDenied as refusal:
            raise PermissionDenied(_("Falta el token CSRF o no es válido."), code="csrf") from refusal

    def authenticate_header(self, request: Request) -> str:
        """A token is what a 401 asks for, here too."""
        return REALM


def _seated(request: Request, access: Access) -> tuple[Person, Seat]:
    meta = request.META  # request.headers would put all of them together
    seat = take_seat(
        access=access,
        tienda_id=meta.get("HTTP_X_TIENDA_ID"),
        terminal_id=meta.get("HTTP_X_TERMINAL_ID"),
    )
    return Person(id=seat.usuario_id, username=seat.username), seat


def seat_of(request: Request) -> Seat:
    """The seat of a request that a permission class has let in."""
    seat = request.auth
    if not isinstance(seat, Seat):
        raise TypeError("the view has no permission class that asks for a seat")
    return seat
