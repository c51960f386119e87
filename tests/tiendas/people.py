"""Tiendas, people and tokens of a test's own."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Membresia, Rol, Terminal, Tienda, TokenTerminal
from blend_pos.tiendas.tokens import create_token

PASSWORD = "correcto-caballo-pila"


@dataclass(frozen=True)
class Shop:
    """One tienda with its terminal 1."""

    tienda: Tienda
    terminal: Terminal


def open_shop(nombre: str = "Tienda") -> Shop:
    tienda = Tienda(nombre=f"{nombre} {uuid4().hex[:8]}")
    return Shop(tienda=tienda, terminal=shops.open_tienda(tienda=tienda))


def hire(*shops_: Shop, rol: str = Rol.CAJERO, is_staff: bool = False) -> User:
    """A person who belongs to these tiendas, without a password: each costs 50 ms."""
    usuario = User.objects.create(username=f"ana-{uuid4().hex[:12]}", is_staff=is_staff)
    for shop in shops_:
        shops.save_membership(membresia=Membresia(usuario=usuario, tienda=shop.tienda, rol=rol))
    return usuario


def give_token(
    usuario: User, shop: Shop, *, rol: str = Rol.CAJERO, lifetime: timedelta | None = None
) -> tuple[TokenTerminal, str]:
    expiry = timezone.now() + lifetime if lifetime else None
    return create_token(terminal=shop.terminal, usuario=usuario, rol=rol, expiry=expiry)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def sign_in(usuario: User, *, enforce_csrf_checks: bool = False) -> Client:
    """A client with a session, as after the login page; errors come as answers."""
    client = Client(enforce_csrf_checks=enforce_csrf_checks, raise_request_exception=False)
    client.force_login(usuario, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return client


def session_key(client: Client) -> str:
    key = client.session.session_key
    assert key
    return key
