"""A name and a password, with a limit to guessing: by person and tienda, from whatever address.

A till is shared, so an address says nothing; and who is locked out of one tienda still works in another.
"""

from typing import Any
from uuid import UUID

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.http import HttpRequest

from blend_pos.tiendas.models import Membresia

TIENDA_ATTRIBUTE = "blend_sign_in_tienda"


class SignInRefused(Exception):
    """Nobody was let in."""


class WrongCredentials(SignInRefused):
    """No active person has this name and this password."""


class LockedOut(SignInRefused):
    """Too many failures of this name in this tienda; `retry_after_s` is the longest that it lasts."""

    retry_after_s = int(settings.AXES_COOLOFF_TIME.total_seconds())


def limited_name(request: HttpRequest | None, credentials: dict[str, Any] | None) -> str | None:
    """What failures are counted under (AXES_USERNAME_CALLABLE): the name, with the tienda where one is signed in to."""
    username = (credentials or {}).get("username") or (request.POST.get("username") if request is not None else None)
    tienda_id = getattr(request, TIENDA_ATTRIBUTE, None)
    return f"{username}@{tienda_id}" if username and tienda_id else username


def check_password(*, request: HttpRequest, username: str, password: str, tienda_id: str | None) -> User:
    """The person of this name and password.

    `tienda_id`: where the device is; one that is not theirs counts as none, so that inventing tiendas gains no guess.
    Raises WrongCredentials, LockedOut.
    """
    setattr(request, TIENDA_ATTRIBUTE, _own_tienda(username, tienda_id))
    user = authenticate(request, username=username, password=password)
    credentials = {"username": username}
    if isinstance(user, User):
        AxesProxyHandler.reset_attempts(username=limited_name(request, credentials))
        return user
    locked = AxesProxyHandler.is_locked(request, credentials)
    request.axes_locked_out = False  # type: ignore[attr-defined] # axes' middleware would answer in its own way
    raise LockedOut if locked else WrongCredentials


def _own_tienda(username: str, tienda_id: str | None) -> UUID | None:
    if tienda_id is None:
        return None
    try:
        tienda = UUID(tienda_id)
    except ValueError:
        return None
    own = Membresia.objects.filter(usuario__username=username, tienda=tienda, tienda__is_active=True)
    return tienda if own.exists() else None
