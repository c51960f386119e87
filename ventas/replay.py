"""A tienda of its own for a replay of real baskets: products, ample or scarce, a terminal and a token for each till."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Membresia, Rol, Terminal, Tienda
from blend_pos.tiendas.tokens import create_token
from cache_stock.warmup import warm_tienda
from inventario.catalogo import NewProduct, create_products

CAJERO = "replay"
TOKEN_TTL = timedelta(days=1)
FIRST_ARMING_S = 60.0  # beat's cold start may have come upon the new tienda first


class ReplayRefused(Exception):
    """The replay's cashier would be a real person."""


@dataclass(frozen=True, slots=True)
class ReplayTienda:
    """An open and warm tienda; one token a terminal."""

    tienda_id: UUID
    tokens: Sequence[str]


def open_replay_tienda(*, nombre: str, terminales: int, products: Sequence[NewProduct], now: datetime) -> ReplayTienda:
    """Open it, carry its stock to Redis, arm it. Raises ReplayRefused, and what warm_tienda raises."""
    tienda = Tienda(nombre=nombre)
    with transaction.atomic():
        terminals = [shops.open_tienda(tienda=tienda)]
        for numero in range(2, terminales + 1):
            terminals.append(Terminal(tienda=tienda, numero=numero, nombre=f"Terminal {numero}"))
            shops.save_terminal(terminal=terminals[-1])
        cajero = _find_or_make_cajero()
        shops.save_membership(membresia=Membresia(usuario=cajero, tienda=tienda, rol=Rol.CAJERO))
        create_products(tienda_id=tienda.pk, products=products, fecha=now)
        tokens = [
            create_token(terminal=terminal, usuario=cajero, rol=Rol.CAJERO, expiry=now + TOKEN_TTL)[1]
            for terminal in terminals
        ]
    warm_tienda(tienda_id=tienda.pk, now_ms=int(now.timestamp() * 1000), patience_s=FIRST_ARMING_S)
    return ReplayTienda(tienda.pk, tokens)


def _find_or_make_cajero() -> User:
    """Who sells in every replay: without a password, so that nobody can sign in."""
    cajero, _made = User.objects.get_or_create(username=CAJERO, defaults={"password": "!"})
    if cajero.has_usable_password():
        raise ReplayRefused(f"There is a person named «{CAJERO}» who can sign in: left alone.")
    return cajero
