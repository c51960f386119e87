"""What a test keeps of its own sales, added up without the till: held against PostgreSQL and Redis at the end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from uuid import UUID

from inventario.catalogo import NewProduct
from inventario.models import InventoryLedger, TipoMovimiento
from tests.browser.store import Store
from tests.pipeline.processes import Pipeline

CENT = Decimal("0.01")
Lines = Sequence[tuple[str, str]]
Payment = tuple[str, str, str | None, str]
"""metodo, importe, recibido, referencia."""


def importe(goods: NewProduct, cantidad: str) -> Decimal:
    """A line's amount, as contracts have it: half up, once."""
    return (goods.precio * Decimal(cantidad)).quantize(CENT, ROUND_HALF_UP)


def cash(importe: str, recibido: str) -> Payment:
    return ("EFECTIVO", importe, recibido, "")


def card(importe: str, referencia: str) -> Payment:
    return ("TARJETA", importe, None, referencia)


def transfer(importe: str, referencia: str) -> Payment:
    return ("TRANSFERENCIA", importe, None, referencia)


@dataclass(slots=True)
class Books:
    """Each sale as its customer saw it: lines by the goods' short names, and payments; in the order of the sales."""

    store: Store
    sales: list[tuple[Lines, Sequence[Payment]]] = field(default_factory=list)

    def add(self, lines: Lines, *payments: Payment) -> Decimal:
        """Write a sale down. Returns its total."""
        total = sum((importe(self.store.goods[key], cantidad) for key, cantidad in lines), Decimal(0))
        assert total == sum(Decimal(payment[1]) for payment in payments), "the test's own sum is wrong"
        self.sales.append((lines, payments))
        return total

    def assert_kept(self, pipeline: Pipeline) -> None:
        """At rest: PostgreSQL has these sales, each once, to the cent; ledger and Redis have what left, to the gram."""
        shop = self.store.shop
        shop.settle_down(ventas=len(self.sales))
        shop.come_to_rest(pipeline.host)
        assert self._written() == self._expected()
        assert set(shop.written().values()) <= {1}
        assert not shop.fallidas()
        self._assert_stock()
        shop.assert_exact()

    def _written(self) -> Counter[object]:
        return Counter(
            (
                venta.total,
                venta.metodo_pago,
                tuple(
                    (line.producto_id, line.cantidad, line.precio_unitario, line.importe)
                    for line in venta.detalles.order_by("linea")
                ),
                tuple((pago.metodo, pago.importe, pago.recibido, pago.referencia) for pago in venta.pagos.all()),
            )
            for venta in self.store.shop.ventas()
        )

    def _expected(self) -> Counter[object]:
        return Counter(self._as_written(lines, payments) for lines, payments in self.sales)

    def _as_written(self, lines: Lines, payments: Sequence[Payment]) -> object:
        rows = []
        for key, cantidad in lines:
            goods = self.store.goods[key]
            rows.append((goods.id, Decimal(cantidad), goods.precio, importe(goods, cantidad)))
        kinds = {payment[0] for payment in payments}
        paid = tuple(
            (metodo, Decimal(part), None if given is None else Decimal(given), referencia)
            for metodo, part, given, referencia in payments
        )
        total = sum((row[3] for row in rows), Decimal(0))
        return (total, kinds.pop() if len(kinds) == 1 else "MIXTO", tuple(rows), paid)

    def _assert_stock(self) -> None:
        """What is left, and what the ledger says was sold, is what these sales leave of the first stock."""
        sold: dict[UUID, Decimal] = {goods.id: Decimal(0) for goods in self.store.goods.values()}
        for lines, _payments in self.sales:
            for key, cantidad in lines:
                sold[self.store.goods[key].id] += Decimal(cantidad)
        left = {goods.id: int((goods.stock_inicial - sold[goods.id]) * 1000) for goods in self.store.goods.values()}
        assert self.store.shop.stock() == left
        assert {producto: saldo for producto, (saldo, _held) in self.store.shop.saldos().items()} == left
        moved = dict.fromkeys(sold, Decimal(0))
        for movement in InventoryLedger.objects.filter(producto__in=sold, tipo=TipoMovimiento.VENTA):
            moved[movement.producto_id] -= movement.delta
        assert moved == sold
