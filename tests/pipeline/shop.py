"""A tienda of a test's own, with people, tills, tokens and warm products; and what must be true of it at last."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import F, Window
from django.db.models.functions import RowNumber

from blend_pos.tiendas import shops
from blend_pos.tiendas.models import Membresia, Rol, Terminal, Tienda
from blend_pos.tiendas.tokens import create_token
from cache_stock import carrying, keys, reservation, scripts, warmup
from inventario.catalogo import NewProduct, create_products
from inventario.models import Unidad
from tests.pipeline.rabbit import SALES, VirtualHost
from tests.polling import poll, wait_until
from ventas import tasks
from ventas.models import Venta, VentaFallida

WARM_S = 60.0
LEDGER = """
SELECT producto.id, stock_actual, producto.version, count(*), sum(delta), min(movimiento.version),
    max(movimiento.version), (array_agg(saldo ORDER BY movimiento.version DESC))[1]
FROM productos AS producto JOIN inventory_ledger AS movimiento ON producto_id = producto.id
WHERE tienda_id = %s GROUP BY producto.id ORDER BY producto.id
"""


@dataclass(frozen=True, slots=True)
class Seat:
    """A terminal, and a token of each role for it."""

    terminal_id: UUID
    tokens: dict[str, str]


@dataclass(slots=True)
class Shop:
    """One tienda. `products` in id order; `precios` in cents, as they were made."""

    tienda_id: UUID
    users: dict[str, User]
    seats: list[Seat]
    products: list[UUID]
    precios: dict[UUID, int]
    stock_milli: int
    others: dict[str, UUID] = field(default_factory=dict)

    @property
    def token(self) -> str:
        """The cashier's, of the first terminal."""
        return self.seats[0].tokens[Rol.CAJERO]

    def ventas(self) -> list[Venta]:
        """What is written, oldest first."""
        return list(Venta.objects.filter(tienda_id=self.tienda_id).order_by("id"))

    def written(self) -> dict[UUID, int]:
        """How often each sale is written."""
        found: dict[UUID, int] = {}
        for venta_id in Venta.objects.filter(tienda_id=self.tienda_id).values_list("venta_id", flat=True):
            found[venta_id] = found.get(venta_id, 0) + 1
        return found

    def fallidas(self) -> list[VentaFallida]:
        """What failed."""
        return list(VentaFallida.objects.filter(tienda_id=self.tienda_id).order_by("id"))

    def holds(self) -> dict[UUID, float]:
        """The journal: sale -> when the sweep looks next."""
        found: Any = scripts.stock_client().zrange(keys.journal(self.tienda_id), 0, -1, withscores=True)
        return {UUID(venta): score for venta, score in found}

    def saldos(self) -> dict[UUID, tuple[int, int]]:
        """saldo and reservado of each product, thousandths, as Redis has them."""
        pipe = scripts.stock_client().pipeline(transaction=False)
        for producto in self.products:
            pipe.hmget(keys.stock(self.tienda_id, producto), "saldo", "reservado")
        rows = pipe.execute()
        return {
            producto: (int(saldo if saldo is not None else -1), int(reservado if reservado is not None else -1))
            for producto, (saldo, reservado) in zip(self.products, rows, strict=True)
        }

    def stock(self) -> dict[UUID, int]:
        """stock_actual of each product, thousandths."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, stock_actual FROM productos WHERE tienda_id = %s ORDER BY id", [self.tienda_id])
            return {producto: int(stock * 1000) for producto, stock in cursor.fetchall()}

    def sold(self) -> int:
        """Thousandths that left the shelves by PostgreSQL, all products together."""
        return sum(self.stock_milli - stock for stock in self.stock().values())

    def is_armed(self) -> bool:
        return reservation.armed_epochs(tiendas=[self.tienda_id])[self.tienda_id] is not None

    def settle_down(self, *, ventas: int | None = None, holds: int = 0, timeout_s: float = 60) -> None:
        """Wait until so many sales are written (None: any number) and so many holds are left."""
        wait_until(
            lambda: (ventas is None or len(self.written()) >= ventas) and len(self.holds()) <= holds,
            timeout_s=timeout_s,
            what=f"{ventas} sales written and {holds} holds left",
        )

    def come_to_rest(self, host: VirtualHost, *, timeout_s: float = 60) -> None:
        """Have maintenance sweep until nothing is held and nothing waits."""

        def at_rest() -> bool:
            if not self.holds():
                return host.ready(SALES) == 0
            host.run(tasks.sweep)
            return poll(lambda: not self.holds(), timeout_s=1) and host.ready(SALES) == 0

        wait_until(at_rest, timeout_s=timeout_s, what="every hold is settled")

    def assert_exact(self, *, reservado: int = 0) -> None:
        """Redis, PostgreSQL and the ledger say the same of every product; receipts have no gap.

        `reservado`: what is still held, thousandths, all products together.
        """
        assert not _ledger_gaps(self.tienda_id)
        saldos = self.saldos()
        stock = self.stock()
        assert {producto: saldo for producto, (saldo, _held) in saldos.items()} == stock
        assert min(stock.values()) >= 0
        held = {producto: reserved for producto, (_saldo, reserved) in saldos.items()}
        assert min(held.values()) >= 0
        assert sum(held.values()) == reservado
        assert not receipt_gaps(self.tienda_id)


def _ledger_gaps(tienda_id: UUID) -> list[object]:
    """Products whose ledger does not add up: stock = Σ delta = last saldo, versions 1…n."""
    with connection.cursor() as cursor:
        cursor.execute(LEDGER, [tienda_id])
        return [
            row
            for row in cursor.fetchall()
            if not (row[1] == row[4] == row[7] and row[2] == row[3] == row[6] and row[5] == 1)
        ]


def receipt_gaps(tienda_id: UUID) -> list[tuple[UUID, int]]:
    """Receipts that are not their terminal's next number; and terminals that remember another last one."""
    numbered = Venta.objects.filter(tienda_id=tienda_id).annotate(
        expected=Window(RowNumber(), partition_by=[F("terminal_id")], order_by=[F("recibo").asc()])
    )
    gaps = [(venta.terminal_id, venta.recibo) for venta in numbered if venta.recibo != venta.expected]
    for terminal in Terminal.objects.filter(tienda_id=tienda_id):
        last = Venta.objects.filter(terminal=terminal).count()
        if terminal.ultimo_recibo != last:
            gaps.append((terminal.pk, terminal.ultimo_recibo))
    return gaps


def _numbered(*, products: int, stock: int, precios: Sequence[str]) -> list[NewProduct]:
    return [
        NewProduct(
            id=uuid4(),
            sku=f"sku-{number}",
            nombre=f"Producto {number}",
            unidad=Unidad.KG if number % 3 == 2 else Unidad.UNIDAD,
            precio=Decimal(precios[number % len(precios)]),
            stock_inicial=Decimal(stock),
        )
        for number in range(products)
    ]


def open_shop(
    *,
    products: int = 3,
    stock: int = 1000,
    terminals: int = 1,
    precios: Sequence[str] = ("10.50",),
    catalogue: Sequence[NewProduct] = (),
    warm: bool = True,
) -> Shop:
    """A new tienda with `stock` units of each product; prices are dealt in turn. Armed and warm unless told.

    `catalogue`: products of the test's own instead, each with its own stock; `sold` does not know it.
    """
    tienda = Tienda(nombre=f"tienda {uuid4().hex[:8]}")
    terminal_rows = [shops.open_tienda(tienda=tienda)]
    for numero in range(2, terminals + 1):
        terminal = Terminal(tienda=tienda, numero=numero, nombre=f"Terminal {numero}")
        shops.save_terminal(terminal=terminal)
        terminal_rows.append(terminal)
    users = {}
    for rol in Rol:
        users[rol.value] = User.objects.create(username=f"{rol}-{uuid4().hex[:12]}")
        shops.save_membership(membresia=Membresia(usuario=users[rol.value], tienda=tienda, rol=rol))
    seats = [
        Seat(
            terminal.pk,
            {
                rol.value: create_token(terminal=terminal, usuario=users[rol.value], rol=rol, expiry=None)[1]
                for rol in Rol
            },
        )
        for terminal in terminal_rows
    ]
    new = list(catalogue) or _numbered(products=products, stock=stock, precios=precios)
    create_products(tienda_id=tienda.pk, products=new, fecha=datetime.now(UTC))
    shop = Shop(
        tienda.pk,
        users,
        seats,
        sorted(product.id for product in new),
        {product.id: int(product.precio * 100) for product in new},
        stock * 1000,
    )
    if warm:
        wait_until(lambda: _warm(tienda.pk), timeout_s=WARM_S, what="the tienda is warm")
    return shop


def _warm(tienda_id: UUID) -> bool:
    """Whether it is now; not where a cold start is about to arm it."""
    try:
        warmup.warm_tienda(tienda_id=tienda_id, now_ms=int(time.time() * 1000))
    except carrying.ColdStartNeeded:
        return False
    return True
