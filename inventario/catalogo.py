"""The only writer of what a product is: its rows, prices, taxes, activity and names. Stock is inventario.ledger's.

Each function is one transaction, or joins the caller's. In each a row is locked before anything is written, so that the
transaction has its number before the clock of `actualizado` is read (inventario.selectors says why).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from uuid import UUID

from django.db import connection, transaction

from inventario import ledger
from inventario.models import Producto, TipoMovimiento, Unidad

ROWS_A_STATEMENT = 1_000

# The lightest lock there is: it stands in nobody's way, and it gives the transaction its number.
SHARE_TIENDA = "SELECT 1 FROM tiendas WHERE id = %s FOR KEY SHARE"
LOCK = "SELECT 1 FROM productos WHERE id = %s FOR NO KEY UPDATE"
CHANGE = """
WITH new AS (
    SELECT id, COALESCE(%(sku)s, sku) AS sku, COALESCE(%(codigo_barras)s, codigo_barras) AS codigo_barras,
        COALESCE(%(nombre)s, nombre) AS nombre, COALESCE(%(unidad)s, unidad) AS unidad,
        COALESCE(%(precio)s::numeric(14, 2), precio) AS precio,
        COALESCE(%(impuesto)s::numeric(5, 2), impuesto) AS impuesto, COALESCE(%(is_active)s, is_active) AS is_active
    FROM productos WHERE id = %(id)s
)
UPDATE productos AS old SET sku = new.sku, codigo_barras = new.codigo_barras, nombre = new.nombre, unidad = new.unidad,
    precio = new.precio, impuesto = new.impuesto, is_active = new.is_active, actualizado = statement_timestamp(),
    catalogo_version = old.catalogo_version
        + ((old.precio, old.impuesto, old.is_active) IS DISTINCT FROM (new.precio, new.impuesto, new.is_active))::int
FROM new WHERE old.id = new.id
    AND (old.sku, old.codigo_barras, old.nombre, old.unidad, old.precio, old.impuesto, old.is_active)
    IS DISTINCT FROM
        (new.sku, new.codigo_barras, new.nombre, new.unidad, new.precio, new.impuesto, new.is_active)
"""


class UnknownTienda(Exception):
    """There is no such tienda."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewProduct:
    """A product to create; `precio` with tax, `impuesto` in percent, `stock_inicial` in its unit."""

    id: UUID
    sku: str
    nombre: str
    precio: Decimal
    impuesto: Decimal = Decimal("16.00")
    unidad: str = Unidad.UNIDAD
    codigo_barras: str = ""
    is_active: bool = True
    stock_inicial: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductChange:
    """What is to be different; None leaves it as it is."""

    sku: str | None = None
    nombre: str | None = None
    precio: Decimal | None = None
    impuesto: Decimal | None = None
    unidad: str | None = None
    codigo_barras: str | None = None
    is_active: bool | None = None


def create_products(
    *, tienda_id: UUID, products: Sequence[NewProduct], fecha: datetime, usuario_id: int | None = None
) -> None:
    """Create all of them, each with its INICIAL movement (of zero too), or none.

    Raises UnknownTienda, and IntegrityError where a SKU or a barcode is taken or a number is out of its bounds.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(SHARE_TIENDA, [tienda_id])
            if cursor.fetchone() is None:
                raise UnknownTienda(tienda_id)
        for start in range(0, len(products), ROWS_A_STATEMENT):
            chunk = products[start : start + ROWS_A_STATEMENT]
            Producto.objects.bulk_create(_row(tienda_id, product) for product in chunk)
            ledger.record(
                movements=[
                    ledger.Movement(
                        product.id,
                        tienda_id,
                        TipoMovimiento.INICIAL,
                        product.stock_inicial,
                        fecha,
                        usuario_id=usuario_id,
                    )
                    for product in chunk
                ]
            )


def change_product(*, producto_id: UUID, change: ProductChange) -> bool:
    """Change one product; False where it was so already, and then nothing is written.

    A change of price, tax or activity raises catalogo_version by one. Raises ledger.UnknownProduct, and IntegrityError
    as create_products does.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(LOCK, [producto_id])
        if cursor.fetchone() is None:
            raise ledger.UnknownProduct([producto_id])
        cursor.execute(
            CHANGE,
            {
                "id": producto_id,
                "sku": change.sku,
                "codigo_barras": change.codigo_barras,
                "nombre": change.nombre,
                "unidad": change.unidad,
                "precio": change.precio,
                "impuesto": change.impuesto,
                "is_active": change.is_active,
            },
        )
        return bool(cursor.rowcount)


def _row(tienda_id: UUID, product: NewProduct) -> Producto:
    return Producto(
        id=product.id,
        tienda_id=tienda_id,
        sku=product.sku,
        codigo_barras=product.codigo_barras,
        nombre=product.nombre,
        unidad=product.unidad,
        precio=product.precio,
        impuesto=product.impuesto,
        is_active=product.is_active,
    )
