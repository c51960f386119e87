"""A tienda of a test's own, in PostgreSQL and in Redis, and what may be seen of it in both."""

import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast
from uuid import UUID, uuid4

from django.db.models import Sum

from blend_pos.tiendas.models import Tienda
from cache_stock import figures, keys, reservation, scripts, warmup
from cache_stock.operations import Operation
from inventario.catalogo import NewProduct, create_products
from inventario.models import InventoryLedger, Producto, TipoMovimiento
from tests.tiendas.people import Shop, open_shop

HUELLA = "a" * 64
SWEEP_AFTER_MS = 10_000


def now_ms() -> int:
    return int(time.time() * 1000)


@dataclass
class Store:
    """One tienda. Products are created cold: warm() carries them."""

    shop: Shop = field(default_factory=open_shop)

    @property
    def tienda_id(self) -> UUID:
        return self.shop.tienda.pk

    def product(self, *, stock: str = "10", precio: str = "10.00", **fields: Any) -> UUID:
        return self.products(1, stock=stock, precio=precio, **fields)[0]

    def products(self, count: int, *, stock: str = "10", precio: str = "10.00", **fields: Any) -> list[UUID]:
        new = []
        for _number in range(count):
            producto = uuid4()
            values: dict[str, Any] = {"sku": f"SKU-{producto.hex[:12]}", "nombre": f"Producto {producto.hex[:6]}"}
            values |= {"precio": Decimal(precio), "stock_inicial": Decimal(stock)} | fields
            new.append(NewProduct(id=producto, **values))
        create_products(tienda_id=self.tienda_id, products=new, fecha=datetime.now(UTC))
        return [product.id for product in new]

    def warm(self) -> warmup.WarmReport:
        return warmup.warm_tienda(tienda_id=self.tienda_id, now_ms=now_ms())

    def disarm(self) -> None:
        """As if Redis were another server."""
        scripts.delete_field(key=keys.meta(self.tienda_id), field="run_id")

    # --- what may be asked of it
    def hold(
        self,
        quantities: dict[UUID, int],
        *,
        venta_id: UUID | None = None,
        pedido: str = "{}",
        precio: str = "",
        huella: str = HUELLA,
    ) -> reservation.Hold:
        held = reservation.reserve(
            tienda_id=self.tienda_id,
            venta_id=venta_id or uuid4(),
            huella=huella,
            nonce="nonce",
            wanted=[reservation.Wanted(producto, milli, precio) for producto, milli in quantities.items()],
            pedido=pedido,
            now_ms=now_ms(),
            sweep_after_ms=SWEEP_AFTER_MS,
            most_holds=1000,
        )
        assert isinstance(held, reservation.Hold)
        return held

    def operation(self, quantities: dict[UUID, int], *, tipo: str = TipoMovimiento.AJUSTE, **fields: Any) -> Operation:
        values: dict[str, Any] = {
            "tienda_id": self.tienda_id,
            "operacion": uuid4(),
            "tipo": tipo,
            "quantities": quantities,
            "motivo": "conteo",
            "usuario_id": None,
            "fecha": datetime.now(UTC),
        }
        return Operation(**values | fields)

    # --- what may be seen of it
    def in_redis(self, producto: UUID) -> dict[str, str]:
        return cast("dict[str, str]", scripts.stock_client().hgetall(keys.stock(self.tienda_id, producto)))

    def meta(self) -> dict[str, str]:
        return cast("dict[str, str]", scripts.stock_client().hgetall(keys.meta(self.tienda_id)))

    def journal(self) -> dict[UUID, float]:
        """The live holds, and when the sweep looks at each, ms."""
        members = scripts.stock_client().zrange(keys.journal(self.tienda_id), 0, -1, withscores=True)
        return {UUID(venta): score for venta, score in cast("list[tuple[str, float]]", members)}

    def available(self, producto: UUID) -> int | None:
        return reservation.available(tienda_id=self.tienda_id, productos=[producto])[producto]

    def armed(self) -> bool:
        return reservation.armed_epochs(tiendas=[self.tienda_id])[self.tienda_id] is not None

    def epoch(self) -> int:
        return Tienda.objects.values_list("epoch", flat=True).get(pk=self.tienda_id)

    def warmed_at(self) -> datetime | None:
        return figures.warmed_at(tiendas=[self.tienda_id])[self.tienda_id]

    def assert_in_step(self) -> None:
        """PostgreSQL, the ledger and Redis say the same of every product, and nothing is held."""
        assert self.journal() == {}
        for producto in Producto.objects.filter(tienda=self.tienda_id):
            ledger = InventoryLedger.objects.filter(producto=producto)
            assert producto.stock_actual == ledger.aggregate(total=Sum("delta"))["total"]
            assert list(ledger.order_by("version").values_list("version", flat=True)) == list(
                range(1, producto.version + 1)
            )
            seen = self.in_redis(producto.pk)
            assert (seen["saldo"], seen["version"], seen["reservado"]) == (
                str(int(producto.stock_actual * 1000)),
                str(producto.version),
                "0",
            )
