"""Terminal tokens: made, shown once, revoked at once."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from blend_pos.tiendas import access_cache
from blend_pos.tiendas.access_cache import digest_name
from blend_pos.tiendas.models import ROLE_ORDER, Membresia, Terminal, TokenTerminal


class TokenRefused(Exception):
    """Such a token would open nothing, or more than its person may do."""

    def __init__(self, mensaje: Any) -> None:
        super().__init__(mensaje)


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
    digest, token = get_digest_token()
    row = TokenTerminal(
        digest=digest,
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
