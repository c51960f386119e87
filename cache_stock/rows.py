"""What PostgreSQL says of products, in the numbers and the order that warmup.lua and load.lua take.

The database converts, exactly: stock in whole thousandths, money in whole cents, tax rates in hundredths of a percent.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction

PRODUCTS_A_PAGE = 500
PRODUCTS_A_CALL = 100  # some 2 ms of Redis: a checkout behind it waits no longer

COLUMNS = """id::text, (stock_actual * 1000)::bigint, version, (precio * 100)::bigint, (impuesto * 100)::bigint,
    is_active::int, catalogo_version"""
NUMBERS_A_ROW = 6
# `id` alone would be the text of the first column, and every page a sort of the whole tienda.
PAGE = f"""
SELECT {COLUMNS} FROM productos
WHERE tienda_id = %s AND id > %s::uuid AND (%s::timestamptz IS NULL OR actualizado >= %s)
ORDER BY productos.id LIMIT {PRODUCTS_A_PAGE}
"""
BY_ID = f"SELECT tienda_id, {COLUMNS} FROM productos WHERE id = ANY(%s) ORDER BY tienda_id, productos.id"
ALL = f"SELECT {COLUMNS} FROM productos WHERE tienda_id = %s ORDER BY productos.id"
LOWEST_ID = UUID(int=0)


class Row(NamedTuple):
    """One product."""

    producto: str
    saldo_milli: int
    version: int
    precio_centavos: int
    impuesto: int
    activo: int
    catalogo_version: int


class InsideTransaction(RuntimeError):
    """Rows were to be carried to Redis from inside a transaction, that is before they are true."""


def pages(*, tienda_id: UUID, changed_since: datetime | None = None) -> Iterator[list[Row]]:
    """All committed products of a tienda, or those that changed since, a page at a time and each page by itself."""
    assert_committed()
    after = str(LOWEST_ID)
    while True:
        with connection.cursor() as cursor:
            cursor.execute(PAGE, [tienda_id, after, changed_since, changed_since])
            page = [Row(*row) for row in cursor.fetchall()]
        if page:
            yield page
        if len(page) < PRODUCTS_A_PAGE:
            return
        after = page[-1].producto


def by_tienda(*, productos: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """Some committed products, by their tienda."""
    assert_committed()
    found: dict[UUID, list[Row]] = {}
    with connection.cursor() as cursor:
        cursor.execute(BY_ID, [list(productos)])
        for tienda_id, *row in cursor.fetchall():
            found.setdefault(tienda_id, []).append(Row(*row))
    return found


def assert_committed() -> None:
    """Raise InsideTransaction where a transaction is open."""
    if transaction.get_connection().in_atomic_block:
        raise InsideTransaction("carry rows to Redis after the commit")


@dataclass(slots=True)
class Snapshot:
    """All products of a tienda at one moment, packed: about 90 bytes each."""

    names: list[str] = field(default_factory=list)
    numbers: "array[int]" = field(default_factory=lambda: array("q"))

    @classmethod
    def read(cls, *, tienda_id: UUID) -> "Snapshot":
        """Read them in the caller's transaction, streamed."""
        snapshot = cls()
        with connection.chunked_cursor() as cursor:
            cursor.execute(ALL, [tienda_id])
            while rows := cursor.fetchmany(PRODUCTS_A_CALL):
                snapshot.names.append(" ".join(row[0] for row in rows))
                for row in rows:
                    snapshot.numbers.extend(row[1:])
        return snapshot

    def __len__(self) -> int:
        return len(self.numbers) // NUMBERS_A_ROW

    def pages(self) -> Iterator[list[Row]]:
        """The rows again, as many at a time as one call to Redis takes."""
        at = 0
        for names in self.names:
            page = []
            for producto in names.split(" "):
                page.append(Row(producto, *self.numbers[at : at + NUMBERS_A_ROW]))
                at += NUMBERS_A_ROW
            yield page


def as_arguments(rows: Iterable[Row]) -> list[str | int]:
    """The rows as a script's arguments, one after another."""
    return [value for row in rows for value in row]
