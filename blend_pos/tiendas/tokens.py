"""Terminal tokens: made, shown once, revoked at once.

A token is 192 random bits and 64 that only this shop can compute from them, under a key derived from SECRET_KEY. They
say nothing about whether it opens something; they tell a token of ours from a guess, without asking anybody.
"""

import secrets
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _
from knox.crypto import hash_token
from knox.settings import CONSTANTS

from blend_pos.tiendas import access_cache
from blend_pos.tiendas.access_cache import digest_name
from blend_pos.tiendas.models import ROLE_ORDER, SONDA_ID, Membresia, Rol, Terminal, TokenTerminal

PURPOSE = "blend_pos.tiendas.tokens"
PREFIX = str(settings.REST_KNOX["TOKEN_PREFIX"])
RANDOM_BYTES = 24
CHECK_DIGITS = 16  # and both together are what TOKEN_SHAPE asks for


class TokenRefused(Exception):
    """Such a token would open nothing, or more than its person may do."""

    def __init__(self, mensaje: Any) -> None:
        super().__init__(mensaje)


def make_token() -> str:
    """A new token."""
    body = secrets.token_hex(RANDOM_BYTES)
    return f"{PREFIX}{body}{_check_digits(body, settings.SECRET_KEY)}"


def is_ours(token: str) -> bool:
    """Whether a token was made here. One of before SECRET_KEY changed for good counts as a guess, and still opens."""
    body, check = token[len(PREFIX) : -CHECK_DIGITS], token[-CHECK_DIGITS:]
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(constant_time_compare(check, _check_digits(body, key)) for key in keys)


def _check_digits(body: str, key: str) -> str:
    return salted_hmac(PURPOSE, body, secret=key, algorithm="sha256").hexdigest()[:CHECK_DIGITS]


def check_token(*, terminal: Terminal, usuario: User, rol: str) -> None:
    """Raise TokenRefused where create_token would."""
    if not (usuario.is_active and terminal.is_active and terminal.tienda.is_active):
        raise TokenRefused(_("La persona, la terminal y la tienda tienen que estar activas."))
    membresia = Membresia.objects.filter(usuario=usuario, tienda=terminal.tienda_id).first()
    if membresia is None:
        raise TokenRefused(_("«%(nombre)s» no pertenece a esa tienda.") % {"nombre": usuario.get_username()})
    if ROLE_ORDER[rol] > ROLE_ORDER[membresia.rol]:
        raise TokenRefused(
            _("Un token no puede más que su persona: «%(nombre)s» es %(rol)s.")
            % {"nombre": usuario.get_username(), "rol": membresia.get_rol_display()}
        )


def create_token(*, terminal: Terminal, usuario: User, rol: str, expiry: datetime | None) -> tuple[TokenTerminal, str]:
    """Make a token of `usuario` for `terminal`, until `expiry` (None: for ever).

    Returns the row and the token, which is kept nowhere. Raises TokenRefused.
    """
    check_token(terminal=terminal, usuario=usuario, rol=rol)
    return _write(terminal=terminal, usuario=usuario, rol=rol, expiry=expiry)


def create_probe_token(*, terminal: Terminal, usuario: User, expiry: datetime) -> tuple[TokenTerminal, str]:
    """The same for the tienda that is closed to everybody but golive_check, which sells there as a till does
    (docs/adr/0043)."""
    assert terminal.tienda_id == SONDA_ID
    return _write(terminal=terminal, usuario=usuario, rol=Rol.CAJERO, expiry=expiry)


def _write(*, terminal: Terminal, usuario: User, rol: str, expiry: datetime | None) -> tuple[TokenTerminal, str]:
    token = make_token()
    row = TokenTerminal(
        digest=hash_token(token),
        token_key=token[: CONSTANTS.TOKEN_KEY_LENGTH],
        user=usuario,
        terminal=terminal,
        rol=rol,
        expiry=expiry,
    )
    row.save(force_insert=True)
    return row, token


def revoke_token(*, token: TokenTerminal) -> None:
    """Delete a token: from the commit on it opens nothing. Raises AccessUnavailable, with nothing changed."""
    with transaction.atomic():
        access_cache.suspend(scopes=[digest_name(token.digest)])
        token.delete()
