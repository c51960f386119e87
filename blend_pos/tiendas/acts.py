"""The one writer of the bitácora: who did what, when, why, from where. In the transaction of what was done, where that
is one; else before it, so that nothing is done that is not on record.

Nothing on the way to a 201 writes here.
"""

import os
import pwd
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.http import HttpRequest

from blend_pos.tiendas.models import Accion, Acto

LONGEST_PERSONA, LONGEST_DESDE, LONGEST_OBJETO, LONGEST_RAZON = 150, 300, 200, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who acts: `persona_id` where it is a person that we know, and from where."""

    persona_id: int | None
    persona: str
    desde: str


def record(
    *,
    accion: Accion,
    por: Actor,
    tienda_id: UUID | None = None,
    objeto: str = "",
    razon: str = "",
    detalle: Mapping[str, Any] | None = None,
) -> None:
    """Write one act. `detalle` is JSON: no secret, and nothing that a customer pays with."""
    Acto.objects.create(
        accion=accion,
        persona_id=por.persona_id,
        persona=_text(por.persona, LONGEST_PERSONA),
        desde=_text(por.desde, LONGEST_DESDE),
        tienda_id=tienda_id,
        objeto=_text(objeto, LONGEST_OBJETO),
        razon=_text(razon, LONGEST_RAZON),
        detalle=dict(detalle or {}),
    )


def actor_of(request: HttpRequest | Any) -> Actor:
    """Whoever asks, signed in or by a token, at the address that connected (behind a proxy: the proxy's)."""
    user = request.user
    return Actor(persona_id=user.pk, persona=user.get_username(), desde=place_of(request))


def place_of(request: HttpRequest | Any) -> str:
    """The address, and what was asked for."""
    return f"{request.META.get('REMOTE_ADDR') or '?'} {request.method} {request.path}"


def operator(*, command: str, por: str = "") -> Actor:
    """Whoever runs a management command: as `por` says, beside the operating system's user, which it cannot hide."""
    try:
        user = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # in a container: a number without a name
        user = str(os.getuid())
    return Actor(persona_id=None, persona=por or user, desde=f"manage.py {command}, {user}@{socket.gethostname()}")


def _text(value: str, longest: int) -> str:
    return value.replace("\x00", "\\0")[:longest]
