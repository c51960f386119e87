"""The probe: a tienda that is in no list, no report and nobody's, whose one product costs nothing.

It is closed, so that no person gets in, and no token but the one that `manage.py golive_check` makes for its one
request. What it sells has a total of zero: also whoever sums up all tables by themselves counts nothing twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4, uuid5

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from blend_pos.tiendas import shops, tokens
from blend_pos.tiendas.access_cache import AccessUnavailable
from blend_pos.tiendas.models import SONDA_ID, SONDA_USUARIO, Terminal, Tienda
from cache_stock import warmup
from cache_stock.intake import receive_stock
from cache_stock.operations import Operation
from inventario.catalogo import NewProduct, create_products
from inventario.models import Producto, TipoMovimiento

NOMBRE = "Sonda de golive_check"
PRODUCTO_ID = uuid5(SONDA_ID, "producto")
STOCK = 1_000
TOKEN_TTL = timedelta(minutes=2)
FIRST_ARMING_S = 5.0  # beat's cold start may have come upon the new probe first


@dataclass(frozen=True, slots=True)
class Probe:
    """What a sale of it is made of."""

    tienda_id: UUID
    terminal_id: UUID
    cajero_id: int
    producto_id: UUID


def prepare(*, now: datetime) -> Probe:
    """Make it, or find it again, with stock, and carried to Redis.

    Raises warmup.ColdStartNeeded where Redis is not armed for it, a StockError, errors of PostgreSQL.
    """
    with transaction.atomic():
        if not Tienda.objects.filter(pk=SONDA_ID).exists():
            with suppress(IntegrityError), transaction.atomic():  # another one of these was first
                shops.open_tienda(tienda=Tienda(pk=SONDA_ID, nombre=NOMBRE, is_active=False))
        Tienda.objects.select_for_update(no_key=True).get(pk=SONDA_ID)
        cajero, _new = User.objects.get_or_create(
            username=SONDA_USUARIO, defaults={"is_active": False, "password": "!"}
        )
        if not Producto.objects.filter(pk=PRODUCTO_ID).exists():
            product = NewProduct(id=PRODUCTO_ID, sku="sonda", nombre=NOMBRE, precio=Decimal(0))
            create_products(tienda_id=SONDA_ID, products=[product], fecha=now, usuario_id=cajero.pk)
    if Producto.objects.get(pk=PRODUCTO_ID).stock_actual < 1:
        receive_stock(operation=_replenishment(now=now, usuario_id=cajero.pk))
    warmup.warm_tienda(tienda_id=SONDA_ID, now_ms=int(now.timestamp() * 1000), patience_s=FIRST_ARMING_S)
    terminal = Terminal.objects.get(tienda=SONDA_ID, numero=1)
    return Probe(SONDA_ID, terminal.pk, cajero.pk, PRODUCTO_ID)


@contextmanager
def token_of(probe: Probe, *, now: datetime) -> Iterator[str]:
    """One that sells as its terminal, and is gone afterwards, whatever happened; where PostgreSQL went away meanwhile,
    after TOKEN_TTL."""
    row, token = tokens.create_probe_token(
        terminal=Terminal.objects.get(pk=probe.terminal_id),
        usuario=User.objects.get(pk=probe.cajero_id),
        expiry=now + TOKEN_TTL,
    )
    try:
        yield token
    finally:
        try:
            tokens.revoke_token(token=row)
        except AccessUnavailable:  # what web may keep of it ends by itself
            row.delete()


def _replenishment(*, now: datetime, usuario_id: int) -> Operation:
    return Operation(
        tienda_id=SONDA_ID,
        operacion=uuid4(),
        tipo=TipoMovimiento.AJUSTE,
        quantities={PRODUCTO_ID: STOCK * 1000},
        motivo=NOMBRE,
        usuario_id=usuario_id,
        fecha=now,
    )
