"""A shop as a cashier knows it: products with names and barcodes, people with passwords."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

from inventario.catalogo import NewProduct
from inventario.models import Unidad
from tests.pipeline.shop import Shop, open_shop

CLAVE = "mañana-a-las-siete"
SCALE_PATTERN = "20IIIIIWWWWWC"  # item, grams, check digit


def ean13(digits: str) -> str:
    """Twelve digits and their check digit."""
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(digits))
    return f"{digits}{-weighted % 10}"


def scale_code(goods: NewProduct, gramos: int) -> str:
    """What a scale prints for so much of a product whose SKU is five digits."""
    return ean13(f"20{goods.sku}{gramos:05}")


def _goods() -> dict[str, NewProduct]:
    """New ones for each shop, by the name that tests call them. UNIDAD unless KG; jabon is sold out, pan nearly."""
    rows = (
        ("leche", "Leche entera 1 L", "LEC-1", "12.50", "0.00", Unidad.UNIDAD, 500, "750100000001"),
        ("pan", "Pan de molde", "PAN-1", "18.00", "0.00", Unidad.UNIDAD, 3, "750100000002"),
        ("refresco", "Refresco de cola 600 ml", "REF-1", "17.00", "16.00", Unidad.UNIDAD, 500, "750100000003"),
        ("jabon", "Jabón de tocador", "JAB-1", "9.90", "16.00", Unidad.UNIDAD, 0, "750100000004"),
        ("tomate", "Tomate saladet", "00123", "32.90", "0.00", Unidad.KG, 200, ""),
        ("queso", "Queso Oaxaca", "00124", "189.00", "0.00", Unidad.KG, 50, ""),
    )
    return {
        key: NewProduct(
            id=uuid4(),
            sku=sku,
            codigo_barras=ean13(digits) if digits else "",
            nombre=nombre,
            unidad=unidad,
            precio=Decimal(precio),
            impuesto=Decimal(impuesto),
            stock_inicial=Decimal(stock),
        )
        for key, nombre, sku, precio, impuesto, unidad, stock, digits in rows
    }


@dataclass(frozen=True, slots=True)
class Store:
    """`shop` for what the servers know of it; `goods` by short name: leche, pan, refresco, jabon, tomate, queso."""

    shop: Shop
    goods: Mapping[str, NewProduct]

    def usuario(self, rol: str = "cajero") -> str:
        """The name that signs in. The password is CLAVE."""
        return self.shop.users[rol].username


def open_store(*, terminals: int = 1) -> Store:
    """A new tienda, warm, with the goods above."""
    goods = _goods()
    shop = open_shop(catalogue=list(goods.values()), terminals=terminals)
    for user in shop.users.values():
        user.set_password(CLAVE)
        user.save(update_fields=["password"])
    return Store(shop, goods)
