"""What PostgreSQL says of each product, beside what its whole ledger adds up to: one statement, so one snapshot."""

from collections.abc import Iterator
from typing import NamedTuple
from uuid import UUID

from django.db import connection

PRODUCTS_A_PAGE = 500
LOWEST_ID = UUID(int=0)
PAGE = f"""
SELECT productos.id, sku, nombre, (stock_actual * 1000)::bigint, productos.version, (precio * 100)::bigint,
    (impuesto * 100)::bigint, is_active::int, catalogo_version,
    whole.movements, (whole.sum * 1000)::bigint, coalesce(last.version, 0), (coalesce(last.saldo, 0) * 1000)::bigint
FROM productos
CROSS JOIN LATERAL (
    SELECT count(*) AS movements, coalesce(sum(delta), 0) AS sum FROM inventory_ledger WHERE producto_id = productos.id
) AS whole
LEFT JOIN LATERAL (
    SELECT version, saldo FROM inventory_ledger WHERE producto_id = productos.id ORDER BY version DESC LIMIT 1
) AS last ON true
WHERE tienda_id = %s AND productos.id > %s ORDER BY productos.id LIMIT {PRODUCTS_A_PAGE}
"""


class AuditedProduct(NamedTuple):
    """One product and its ledger; quantities in thousandths, money in cents, the tax in hundredths of a percent."""

    producto_id: UUID
    sku: str
    nombre: str
    saldo_milli: int
    version: int
    precio_centavos: int
    impuesto: int
    activo: int
    catalogo_version: int
    movements: int
    ledger_sum_milli: int
    ledger_version: int
    ledger_saldo_milli: int

    @property
    def adds_up(self) -> bool:
        """stock_actual = Σ delta = the last saldo, and versions 1 to n without a gap."""
        return (
            self.saldo_milli == self.ledger_sum_milli == self.ledger_saldo_milli
            and self.version == self.movements == self.ledger_version
        )


def audit_pages(*, tienda_id: UUID) -> Iterator[list[AuditedProduct]]:
    """All products of a tienda, sold or not, in id order, a page at a time. It reads the whole ledger of each."""
    after = LOWEST_ID
    while True:
        with connection.cursor() as cursor:
            cursor.execute(PAGE, [tienda_id, after])
            page = [AuditedProduct(*row) for row in cursor.fetchall()]
        if page:
            yield page
        if len(page) < PRODUCTS_A_PAGE:
            return
        after = page[-1].producto_id
