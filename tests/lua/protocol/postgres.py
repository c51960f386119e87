"""PostgreSQL as the protocol sees it: transactions that are one act, a ledger with versions, sales that are unique.

What is decided about a sale is decided by ventas.persistence.judge itself.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

from inventario.ledger import StockBalance
from ventas import persistence
from ventas.messages import SaleMessage
from ventas.models import EstadoFalla, MotivoFalla
from ventas.persistence import Written

START_MILLI = 6
FIRST_PRICE = 1000
TIMELINE = "1:1"
OPEN = (EstadoFalla.ABIERTA, EstadoFalla.REINTENTADA)


class Violation(AssertionError):
    """The protocol broke what it promises."""


@dataclass(slots=True)
class Failed:
    """One VentaFallida."""

    sale: SaleMessage
    motivo: MotivoFalla
    con_reserva: bool
    estado: EstadoFalla = EstadoFalla.ABIERTA
    discards: int = 0

    @property
    def discarded(self) -> bool:
        """Whether it is a tombstone: discarded, or so before its message came again."""
        again = self.estado == EstadoFalla.ABIERTA and self.motivo == MotivoFalla.LAPIDA
        return self.estado == EstadoFalla.DESCARTADA or again


@dataclass(slots=True)
class Tables:
    """One tienda's rows. `saldos` and `precios` have an entry a version: what Redis may say of that version."""

    productos: Sequence[UUID]
    without: frozenset[str] = frozenset()
    epoch: int = 1
    saldos: dict[UUID, list[int]] = field(default_factory=dict)
    precios: dict[UUID, list[int]] = field(default_factory=dict)
    sales: dict[UUID, SaleMessage] = field(default_factory=dict)
    failed: dict[UUID, Failed] = field(default_factory=dict)
    operations: set[UUID] = field(default_factory=set)

    def __post_init__(self) -> None:
        for producto in self.productos:
            self.saldos[producto], self.precios[producto] = [START_MILLI], [FIRST_PRICE]

    def stock(self, producto: UUID) -> int:
        return self.saldos[producto][-1]

    def balance(self, producto: UUID) -> tuple[int, int]:
        """Balance and version of now."""
        return self.saldos[producto][-1], len(self.saldos[producto]) - 1

    def row(self, producto: UUID) -> tuple[str, int, int, int, int, int, int]:
        """The product as a warmup reads it."""
        precios = self.precios[producto]
        return (str(producto), *self.balance(producto), precios[-1], 1600, 1, len(precios) - 1)

    def move(self, producto: UUID, delta: int) -> None:
        """One ledger row."""
        saldo = self.stock(producto) + delta
        if saldo < 0:
            raise Violation("oversold")
        self.saldos[producto].append(saldo)

    def tombstones(self) -> set[UUID]:
        """Sales that a person discarded: never to be written, whatever comes."""
        return {venta for venta, failed in self.failed.items() if failed.discarded}

    def record_failed(self, sale: SaleMessage, motivo: MotivoFalla, *, con_reserva: bool) -> None:
        """As ventas.rows.RECORD_FAILED has it."""
        failed = self.failed.setdefault(sale.venta_id, Failed(sale, motivo, con_reserva))
        if failed.discarded and "tombstone" not in self.without:
            motivo, con_reserva = MotivoFalla.LAPIDA, "tombstone holds" in self.without
        elif failed.estado in OPEN and "known hold" not in self.without:
            con_reserva = con_reserva or failed.con_reserva
        failed.motivo, failed.con_reserva, failed.estado = motivo, con_reserva, EstadoFalla.ABIERTA

    def needs_hold(self, venta_id: UUID) -> bool:
        """Whether what a hold of this id holds is still to leave the stock."""
        return venta_id not in self.sales and venta_id not in self.operations and venta_id not in self.tombstones()


class Postgres:
    """The tables of all tiendas."""

    def __init__(self, productos: Mapping[UUID, Sequence[UUID]], without: frozenset[str]) -> None:
        self.tables = {tienda: Tables(names, without) for tienda, names in productos.items()}

    def write(self, sales: Sequence[SaleMessage]) -> Written:
        """One batch, one transaction: what ventas.persistence.write does."""
        tables = self.tables
        epochs = {tienda: rows.epoch for tienda, rows in tables.items()}
        verdict = persistence.judge(
            sales=sales,
            epochs=epochs,
            known={
                (tienda, venta): sale.huella for tienda, rows in tables.items() for venta, sale in rows.sales.items()
            },
            tombstones={
                ((tienda, venta), rows.failed[venta].sale.huella)
                for tienda, rows in tables.items()
                for venta in rows.tombstones()
            },
        )
        for sale in verdict.fresh:
            rows = tables[sale.tienda_id]
            if sale.venta_id in rows.sales:
                raise Violation("persisted twice")
            rows.sales[sale.venta_id] = sale
            for producto, cantidad in quantities(sale).items():
                rows.move(producto, -cantidad)
            failed = rows.failed.get(sale.venta_id)
            if failed is not None and failed.estado in OPEN:
                failed.estado = EstadoFalla.PERSISTIDA
        for sale, motivo in verdict.failed:
            rows = tables[sale.tienda_id]
            rows.record_failed(sale, motivo, con_reserva=sale.epoch == rows.epoch)
        return Written(verdict, self.balances(verdict.fresh + verdict.known), TIMELINE, epochs)

    def balances(self, sales: Sequence[SaleMessage]) -> dict[UUID, StockBalance]:
        """The balances of now of the products of these sales."""
        found = {}
        for sale in sales:
            for producto in quantities(sale):
                saldo, version = self.tables[sale.tienda_id].balance(producto)
                found[producto] = StockBalance(producto, Decimal(saldo).scaleb(-3), version)
        return found


def quantities(sale: SaleMessage) -> dict[UUID, int]:
    """What a sale takes of each product, thousandths."""
    taken: dict[UUID, int] = defaultdict(int)
    for item in sale.items:
        taken[item.producto_id] += item.cantidad_milli
    return taken
