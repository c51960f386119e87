"""What was written is what was sold: a key, which is the venta's id, ends with the numbers of its request and cart."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from bench.load import DIGITS, Load
from bench.stand import PRICE, Shop, Stand

UNDER_WAY_S = 2.0  # before the end of a load; what was sent earlier has been answered by then
WRITTEN = """
WITH newest AS (SELECT id, venta_id, total FROM ventas WHERE tienda_id = %s ORDER BY id DESC LIMIT %s)
SELECT newest.venta_id::text, total, array_agg(producto_id::text), array_agg(cantidad)
FROM newest LEFT JOIN detalle_ventas ON detalle_ventas.venta_id = newest.id GROUP BY newest.id, newest.venta_id, total
"""

Units = Mapping[str, Decimal]


@dataclass(frozen=True, slots=True)
class Written:
    """One venta as it is in PostgreSQL."""

    venta_id: str
    total: Decimal
    units: Units


def read_written(stand: Stand, shop: Shop, newest: int) -> list[Written]:
    """So many of the newest ventas of a tienda."""
    with stand.connect() as connection:
        rows = connection.execute(WRITTEN, [shop.tienda_id, newest]).fetchall()
    return [
        Written(venta_id, total, dict(zip(products, amounts, strict=True)))
        for venta_id, total, products, amounts in rows
    ]


def find_wrong(written: Iterable[Written], shop: Shop) -> list[str]:
    """The ids of those whose products, quantities or total are not those of their carts."""
    carts, price = _carts(shop.carts), Decimal(PRICE)
    wrong = []
    for venta in written:
        cart = carts[int(venta.venta_id[-DIGITS:], 16)]
        if venta.units != cart or venta.total != price * sum(cart.values()):
            wrong.append(venta.venta_id)
    return wrong


def count_lost(written: Iterable[str], load: Load) -> int:
    """How many requests of this load were sent UNDER_WAY_S before its end, and are neither written, by their ids, nor
    refused nor broken. 0 where answers took that long."""
    numbers = {int(venta_id[-2 * DIGITS : -DIGITS], 16) for venta_id in written if venta_id.startswith(load.run)}
    if not numbers or load.p99_ms > UNDER_WAY_S * 1000 / 2:
        return 0
    first, last = min(numbers), max(numbers)
    answered = first + int((last - first) * max(0.0, 1 - UNDER_WAY_S / load.seconds))
    missing = sum(number not in numbers for number in range(first, answered))
    return max(0, missing - load.refused - load.broken)


@lru_cache(maxsize=2)
def _carts(file: Path) -> list[Units]:
    """Units of each product, cart by cart."""
    found: list[Units] = []
    for line in file.read_text().splitlines():
        units: dict[str, Decimal] = {}
        for item in json.loads(line)["items"]:
            units[item["producto_id"]] = units.get(item["producto_id"], Decimal(0)) + item["cantidad"]
        found.append(units)
    return found
