"""The demonstration: one tienda with a catalogue, its people and a token. Made once, found again after that.

What is there stays as it is: products keep the prices and the stock that they have by now. The passwords are
derived from SECRET_KEY, so that they are the same at each start and nowhere else, and nothing has to be kept for it.
"""

import base64
import csv
import hashlib
import hmac
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.resources import files
from uuid import UUID, uuid5

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Membresia, Rol, Terminal, Tienda, TokenTerminal
from blend_pos.tiendas.tokens import create_token, revoke_token
from inventario.catalogo import NewProduct, create_products
from inventario.models import Producto

TIENDA_ID = UUID("6f1f3a52-1d0e-5c55-9b1c-7e0d3b1a2c4d")
TIENDA_NOMBRE = "Tienda Centro"
ENCABEZADO = "Abarrotes de Ejemplo, S.A. de C.V.\nRFC AEJ010101AB1\nAv. Central 123, Centro"
PIE = "Gracias por tu compra.\nCambios con este recibo en 30 días."
TOKEN_TTL = timedelta(days=30)
SHORTEST_SECRET_KEY = 32
PASSWORD_BYTES = 10


class DemoRefused(Exception):
    """The demonstration would take something that is somebody's, or would not be safe."""


@dataclass(frozen=True, slots=True)
class DemoUser:
    """A person of the demonstration, and how to sign in."""

    usuario: str
    password: str
    rol: str


@dataclass(frozen=True, slots=True)
class Demo:
    """What it takes to use the demonstration. `token` is of terminal 1, role encargado."""

    tienda_id: UUID
    tienda: str
    terminal_id: UUID
    token: str
    usuarios: Sequence[DemoUser]
    productos: int
    nuevos: int


def read_catalogue() -> list[NewProduct]:
    """The products of demo_catalogo.csv; their ids follow from the SKU, so that they are the same everywhere."""
    lines = (files("ventas") / "demo_catalogo.csv").read_text(encoding="utf-8").splitlines()
    return [
        NewProduct(
            id=uuid5(TIENDA_ID, row["sku"]),
            sku=row["sku"],
            codigo_barras=row["codigo_barras"],
            nombre=row["nombre"],
            unidad=row["unidad"],
            precio=Decimal(row["precio"]),
            impuesto=Decimal(row["impuesto"]),
            stock_inicial=Decimal(row["stock"]),
        )
        for row in csv.DictReader(lines)
    ]


def derive_password(*, username: str, secret_key: str) -> str:
    """Four groups of four characters, 80 bits. Raises DemoRefused where the key could be guessed."""
    if len(secret_key) < SHORTEST_SECRET_KEY:
        raise DemoRefused(
            f"SECRET_KEY has fewer than {SHORTEST_SECRET_KEY} characters, and the passwords are derived from it. "
            "Make one: python -c 'import secrets; print(secrets.token_urlsafe(48))'"
        )
    digest = hmac.digest(secret_key.encode(), f"blend-pos demo {username}".encode(), hashlib.sha256)
    text = base64.b32encode(digest[:PASSWORD_BYTES]).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def make_demo(*, now: datetime) -> Demo:
    """Make what is missing of the demonstration, and a new token. Stock is not carried to Redis here.

    Raises DemoRefused where a person of one of its names belongs elsewhere.
    """
    with transaction.atomic():
        terminal = _find_or_open_tienda()
        people = {rol: _find_or_make_user(str(rol)) for rol in Rol}
        nuevos = _create_missing_products(now=now, usuario_id=people[Rol.ADMINISTRADOR].pk)
        token = _new_token(terminal=terminal, usuario=people[Rol.ENCARGADO], now=now)
    return Demo(
        tienda_id=terminal.tienda_id,
        tienda=terminal.tienda.nombre,
        terminal_id=terminal.pk,
        token=token,
        usuarios=[
            DemoUser(usuario=rol, password=derive_password(username=rol, secret_key=settings.SECRET_KEY), rol=rol)
            for rol in Rol.values
        ],
        productos=Producto.objects.filter(tienda_id=terminal.tienda_id).count(),
        nuevos=nuevos,
    )


def _find_or_open_tienda() -> Terminal:
    """Terminal 1 of the demonstration's tienda, whose row is locked: two of these at once take turns."""
    if not Tienda.objects.filter(pk=TIENDA_ID).exists():
        with suppress(IntegrityError), transaction.atomic():  # another one of these was first
            tienda = Tienda(pk=TIENDA_ID, nombre=TIENDA_NOMBRE, encabezado_recibo=ENCABEZADO, pie_recibo=PIE)
            shops.open_tienda(tienda=tienda)
            shops.save_terminal(terminal=Terminal(tienda=tienda, numero=2, nombre="Caja 2"))
    Tienda.objects.select_for_update(no_key=True).get(pk=TIENDA_ID)
    return Terminal.objects.select_related("tienda").get(tienda=TIENDA_ID, numero=1)


def _find_or_make_user(rol: str) -> User:
    """The person named as the role, with the password that is printed: put back where somebody changed it."""
    password = derive_password(username=rol, secret_key=settings.SECRET_KEY)
    user = User.objects.filter(username=rol).first()
    if user is None:
        user = User.objects.create_user(
            rol, password=password, is_staff=rol != Rol.CAJERO, is_superuser=rol == Rol.ADMINISTRADOR
        )
        shops.save_membership(membresia=Membresia(usuario=user, tienda_id=TIENDA_ID, rol=rol))
        return user
    if not Membresia.objects.filter(usuario=user, tienda=TIENDA_ID).exists():
        raise DemoRefused(f"There is a person named «{rol}» who does not belong to the demonstration: left alone.")
    if not user.check_password(password):
        user.set_password(password)
        shops.save_person(usuario=user)
    return user


def _create_missing_products(*, now: datetime, usuario_id: int) -> int:
    there = set(Producto.objects.filter(tienda=TIENDA_ID).values_list("sku", flat=True))
    missing = [product for product in read_catalogue() if product.sku not in there]
    create_products(tienda_id=TIENDA_ID, products=missing, fecha=now, usuario_id=usuario_id)
    return len(missing)


def _new_token(*, terminal: Terminal, usuario: User, now: datetime) -> str:
    """Only digests are kept, so an old token cannot be shown again; those that have ended are cleared away."""
    for ended in TokenTerminal.objects.filter(terminal=terminal, user=usuario, expiry__lte=now):
        revoke_token(token=ended)
    _row, token = create_token(terminal=terminal, usuario=usuario, rol=Rol.ENCARGADO, expiry=now + TOKEN_TTL)
    return token
