"""A name and a password, with a limit to guessing: by person and tienda, from whatever address.

A till is shared, so an address says nothing; and who is locked out of one tienda still works in another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from axes.handlers.proxy import AxesProxyHandler
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models.functions import Now
from django.http import HttpRequest

from blend_pos.tiendas import acts
from blend_pos.tiendas.models import Accion, Acto, Membresia

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


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to sign in, and what is put on record of it where it fails.

    What bounds the record is the limit to guessing: nothing is written while a name is locked, nor of names that nobody
    has (and which may be a password in the wrong field).
    """

    request: HttpRequest
    username: str
    was_locked: bool

    @property
    def credentials(self) -> dict[str, str]:
        """As axes reads them."""
        return {"username": self.username}

    @classmethod
    def begin(cls, *, request: Any, username: str) -> "Attempt":
        """Before the password is looked at."""
        return cls(request, username, bool(AxesProxyHandler.is_locked(request, {"username": username})))

    def failed(self) -> None:
        """Nobody is. What fails at the same time is recorded one by one, so that a lock is one row and the last."""
        if self.was_locked:
            return
        with transaction.atomic():
            person = User.objects.select_for_update(no_key=True).filter(username=self.username).first()
            if person is None:
                return
            if not AxesProxyHandler.is_locked(self.request, self.credentials):
                _record(self.request, Accion.ENTRADA_FALLIDA, person)
            elif not _lock_is_on_record(self.request, person):
                _record(self.request, Accion.BLOQUEO, person)

    def refused(self) -> None:
        """The password is right, and its person may not come in here: counted and recorded like a wrong one."""
        AxesProxyHandler.user_login_failed(sender=Attempt, credentials=self.credentials, request=self.request)
        self.failed()


def _lock_is_on_record(request: Any, person: User) -> bool:
    of_now = Acto.objects.filter(fecha__gt=Now() - settings.AXES_COOLOFF_TIME, persona_id=person.pk)
    here = of_now.filter(tienda=getattr(request, TIENDA_ATTRIBUTE, None))
    last = here.filter(accion__in=(Accion.ENTRADA_FALLIDA, Accion.BLOQUEO)).order_by("-id").first()
    return last is not None and last.accion == Accion.BLOQUEO


def record_entry(*, request: Any, user: Any) -> None:
    """This person is in."""
    _record(request, Accion.ENTRADA, user)


def _record(request: Any, accion: Accion, person: User) -> None:
    name = person.get_username()
    por = acts.Actor(persona_id=person.pk, persona=name, desde=acts.place_of(request))
    acts.record(accion=accion, por=por, tienda_id=getattr(request, TIENDA_ATTRIBUTE, None), objeto=name)


def check_password(
    *,
    request: HttpRequest,
    username: str,
    password: str,
    tienda_id: str | None,
    may: Callable[[User], bool] = lambda _user: True,
) -> User:
    """The person of this name and password; a failure is put on record, a success is its caller's to record.

    `tienda_id`: where the device is; one that is not theirs counts as none, so that inventing tiendas gains no guess.
    `may`: who has the right password, and may not do what it is asked for, has failed like everybody else.
    Raises WrongCredentials, LockedOut.
    """
    setattr(request, TIENDA_ATTRIBUTE, _own_tienda(username, tienda_id))
    attempt = Attempt.begin(request=request, username=username)
    user = authenticate(request, username=username, password=password)
    credentials = {"username": username}
    if isinstance(user, User) and may(user):
        AxesProxyHandler.reset_attempts(username=limited_name(request, credentials))
        return user
    if user is None:
        attempt.failed()
    else:
        attempt.refused()
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
