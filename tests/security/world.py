"""Two tiendas with something of everything, and somebody of each role in each of them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from blend_pos.tiendas.models import Accion, Acto, Membresia, TokenTerminal
from blend_pos.tiendas.tokens import create_token
from inventario.models import InventoryLedger
from tests.pipeline.messages import as_payload
from tests.pipeline.shop import Shop, open_shop
from tests.tiendas.people import sign_in
from ventas import persistence
from ventas.messages import read_sale
from ventas.models import EstadoFalla, MotivoFalla, Venta, VentaFallida

ROLES = ("cajero", "encargado", "administrador")


@dataclass(frozen=True, slots=True)
class Place:
    """One tienda, and the key of one row of each kind in it."""

    shop: Shop
    rows: dict[str, Any]


@dataclass(frozen=True, slots=True)
class World:
    """`own` is where everybody works; nobody has anything to do with `foreign`."""

    own: Place
    foreign: Place
    staff: dict[str, Client]  # by role, and "superusuario"; "nadie" is not signed in
    outsider: Client  # an administrador who is no member of staff


def make_world() -> World:
    """Rows stay in the test database: it is thrown away with its server."""
    own, foreign = make_place(), make_place()
    outsider = sign_in(own.shop.users["administrador"])
    staff = {"nadie": Client(raise_request_exception=False)}
    for rol in ROLES:
        usuario = User.objects.create(username=f"personal-{rol}-{uuid4().hex[:8]}", is_staff=True)
        Membresia.objects.create(usuario=usuario, tienda_id=own.shop.tienda_id, rol=rol)
        staff[rol] = sign_in(usuario)
    root = User.objects.create(username=f"raiz-{uuid4().hex[:8]}", is_staff=True, is_superuser=True)
    return World(own, foreign, {**staff, "superusuario": sign_in(root)}, outsider)


def make_place() -> Place:
    """A tienda with a written sale, a failed one, and what the admin shows besides."""
    shop = open_shop(products=2)
    payload = as_payload(shop, [(shop.products[0], 1_000)])
    persistence.write(sales=[read_sale(payload)], now=datetime.now(UTC))
    venta = Venta.objects.get(tienda=shop.tienda_id, venta_id=payload["venta_id"])
    cajero = shop.users["cajero"]
    token, _secret = create_token(terminal=venta.terminal, usuario=cajero, rol="cajero", expiry=None)
    return Place(
        shop,
        {
            "tiendas_tienda": shop.tienda_id,
            "tiendas_terminal": shop.seats[0].terminal_id,
            "tiendas_membresia": Membresia.objects.get(usuario=cajero).pk,
            "tiendas_tokenterminal": token.pk,
            "auth_user": cajero.pk,
            "auth_group": Group.objects.create(name=uuid4().hex).pk,
            "inventario_producto": shop.products[0],
            "inventario_inventoryledger": InventoryLedger.objects.filter(producto=shop.products[0])[0].pk,
            "tiendas_acto": record(shop.tienda_id).pk,
            "ventas_venta": venta.pk,
            "ventas_ventafallida": fail(shop.tienda_id).pk,
            "venta_id": venta.venta_id,
        },
    )


def fail(tienda_id: UUID) -> VentaFallida:
    """A failed sale that is open."""
    return VentaFallida.objects.create(
        tienda_id=tienda_id,
        venta_id=uuid4(),
        huella="0" * 64,
        motivo=MotivoFalla.ILEGIBLE,
        registrada=timezone.now(),
        estado=EstadoFalla.ABIERTA,
    )


def record(tienda_id: UUID) -> Acto:
    """An act that is on record."""
    return Acto.objects.create(
        accion=Accion.CLAVE, persona="ana", desde="10.0.0.1", tienda_id=tienda_id, objeto="ana", razon="La olvidó."
    )


def new_token(place: Place) -> TokenTerminal:
    """One more, to be deleted."""
    shop = place.shop
    terminal = TokenTerminal.objects.get(pk=place.rows["tiendas_tokenterminal"]).terminal
    return create_token(terminal=terminal, usuario=shop.users["cajero"], rol="cajero", expiry=None)[0]
