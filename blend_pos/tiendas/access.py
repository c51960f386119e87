"""Who asks, for which tiendas, in which role: what one read from Redis gives, and the seat a request takes from it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson
from django.utils.translation import gettext_lazy as _

from blend_pos.ids import known_uuid
from blend_pos.tiendas.models import ROLE_ORDER

Detalles = dict[str, Any]


class SeatRefused(Exception):
    """The person or the token is known, and this request has no tienda or no terminal to work in."""

    def __init__(self, mensaje: Any, *, detalles: Detalles | None = None) -> None:
        super().__init__(mensaje)
        self.detalles = detalles or {}


class WithoutTienda(SeatRefused):
    """A member of no active tienda."""


class TiendaNotNamed(SeatRefused):
    """A member of several tiendas has to name one; `detalles` lists them."""


class TiendaUnknown(SeatRefused):
    """The tienda that was named does not exist, is closed or is another's: no telling which."""


class TerminalUnknown(SeatRefused):
    """The terminal that was named is not an active one of this tienda, or the tienda has none."""


class AccessKind(StrEnum):
    """How somebody came in."""

    TOKEN = "token"
    SESSION = "sesion"


@dataclass(frozen=True, slots=True)
class TiendaAccess:
    """One tienda that is open to an access. `terminales`: its active ones, (id, numero), lowest numero first."""

    nombre: str
    rol: str
    zona_horaria: str
    terminales: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Access:
    """What a token or a session opens. `tiendas` by id, in its text form; a token has one, with one terminal."""

    kind: AccessKind
    usuario_id: int
    username: str
    expires_at_s: float | None
    tiendas: Mapping[str, TiendaAccess] = field(default_factory=dict)

    def is_expired(self, *, now_s: float) -> bool:
        """Whether it has ended by itself, at `now_s` seconds since 1970."""
        return self.expires_at_s is not None and self.expires_at_s <= now_s


@dataclass(frozen=True, slots=True)
class Seat:
    """Where one request works: one person, one role, one tienda, one terminal."""

    kind: AccessKind
    usuario_id: int
    username: str
    tienda_id: UUID
    terminal_id: UUID
    terminal_numero: int
    rol: str
    zona_horaria: str

    def allows(self, rol: str) -> bool:
        """Whether this seat may do what `rol` may: each role includes the one before it."""
        return ROLE_ORDER[self.rol] >= ROLE_ORDER[rol]


def take_seat(*, access: Access, tienda_id: str | None, terminal_id: str | None) -> Seat:
    """Resolve the tienda and the terminal that a request named (None: it named none).

    One tienda need not be named. A terminal that is not named is the tienda's first. Raises a SeatRefused.
    """
    chosen_id, tienda = _choose_tienda(access, tienda_id)
    chosen_terminal_id, numero = _choose_terminal(tienda, terminal_id)
    return Seat(
        kind=access.kind,
        usuario_id=access.usuario_id,
        username=access.username,
        tienda_id=known_uuid(chosen_id),
        terminal_id=known_uuid(chosen_terminal_id),
        terminal_numero=numero,
        rol=tienda.rol,
        zona_horaria=tienda.zona_horaria,
    )


def _choose_tienda(access: Access, tienda_id: str | None) -> tuple[str, TiendaAccess]:
    tiendas = access.tiendas
    if tienda_id is not None:
        key = tienda_id.strip().lower()
        if key not in tiendas:
            raise TiendaUnknown(_("No existe esa tienda."))
        return key, tiendas[key]
    if not tiendas:
        raise WithoutTienda(_("«%(nombre)s» no pertenece a ninguna tienda activa.") % {"nombre": access.username})
    if len(tiendas) > 1:
        raise TiendaNotNamed(
            _("Perteneces a varias tiendas: nombra una en la cabecera X-Tienda-ID."),
            detalles={"tiendas": [{"id": key, "nombre": tienda.nombre} for key, tienda in tiendas.items()]},
        )
    return next(iter(tiendas.items()))


def _choose_terminal(tienda: TiendaAccess, terminal_id: str | None) -> tuple[str, int]:
    if terminal_id is None:
        if not tienda.terminales:
            raise TerminalUnknown(_("La tienda no tiene ninguna terminal activa."))
        return tienda.terminales[0]
    key = terminal_id.strip().lower()
    for terminal in tienda.terminales:
        if terminal[0] == key:
            return terminal
    raise TerminalUnknown(_("No existe esa terminal."))


def encode(access: Access) -> bytes:
    """An access as JSON, for Redis."""
    return orjson.dumps(asdict(access))


def decode(payload: bytes) -> Access | None:
    """What `encode` wrote; None for what another version of it wrote."""
    try:
        value = orjson.loads(payload)
        tiendas = {
            key: TiendaAccess(
                nombre=tienda["nombre"],
                rol=tienda["rol"],
                zona_horaria=tienda["zona_horaria"],
                terminales=tuple([(terminal[0], terminal[1]) for terminal in tienda["terminales"]]),
            )
            for key, tienda in value["tiendas"].items()
        }
        return Access(
            kind=AccessKind(value["kind"]),
            usuario_id=value["usuario_id"],
            username=value["username"],
            expires_at_s=value["expires_at_s"],
            tiendas=tiendas,
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return None
