"""What a tienda's Redis looks like: how much of it is warm, how well look-ups do, what is available."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import cast
from uuid import UUID

from cache_stock import keys, scripts

WARMED = "calentado"
DRIFT = "diferencias"
BYTES_A_MB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Stats:
    """Warm products of the tienda, the server's memory in MB, look-ups of checkouts that found a product or did not."""

    total_keys: int
    memory_mb: float
    hits: int
    misses: int

    @property
    def hit_rate(self) -> float | None:
        """Percent, two decimals; None before the first look-up."""
        lookups = self.hits + self.misses
        return round(100 * self.hits / lookups, 2) if lookups else None


def read_stats(*, tienda_id: UUID) -> Stats:
    """The figures of now, in one round trip. Raises a StockError."""
    pipe = scripts.stock_client().pipeline(transaction=False)
    pipe.zcount(keys.loaded(tienda_id), "(0", "+inf")
    pipe.hmget(keys.meta(tienda_id), ["aciertos", "fallos"])
    pipe.info("memory")
    total_keys, (hits, misses), memory = scripts.guarded(pipe.execute)
    return Stats(total_keys, round(memory["used_memory"] / BYTES_A_MB, 2), int(hits or 0), int(misses or 0))


def warm_products_count(*, tienda_id: UUID) -> int:
    """How many products are warm."""
    return int(scripts.guarded(partial(scripts.stock_client().zcount, keys.loaded(tienda_id), "(0", "+inf")))


def some_warm_products(*, tienda_id: UUID, most: int) -> list[str]:
    """The ids of some products that are warm."""
    read = partial(scripts.stock_client().zrangebyscore, keys.loaded(tienda_id), "(0", "+inf", start=0, num=most)
    return cast("list[str]", scripts.guarded(read))


@dataclass(frozen=True, slots=True)
class StockHash:
    """One product as Redis has it, in thousandths and cents; `saldo_milli` is None once it was flushed."""

    saldo_milli: int | None
    version: int
    reservado_milli: int
    precio_centavos: int
    impuesto: int
    activo: int
    catalogo_version: int


STOCK_FIELDS = ["saldo", "version", "reservado", "precio", "impuesto", "activo", "catalogo_version"]


def read_stock(*, tienda_id: UUID, productos: Sequence[UUID]) -> list[StockHash | None]:
    """Each of these products, None where Redis does not have it; in one round trip, each by itself. Raises a
    StockError."""
    pipe = scripts.stock_client().pipeline(transaction=False)
    for producto in productos:
        pipe.hmget(keys.stock(tienda_id, producto), STOCK_FIELDS)
    found: list[StockHash | None] = []
    for saldo, *numbers in scripts.guarded(pipe.execute) if productos else []:
        known = [int(number or 0) for number in numbers]
        found.append(StockHash(int(saldo) if saldo is not None else None, *known) if any(numbers) else None)
    return found


def note_warmed(*, tienda_id: UUID, at_ms: int) -> None:
    """Every product of the tienda was carried to Redis, beginning at `at_ms`."""
    scripts.set_field(key=keys.meta(tienda_id), field=WARMED, value=str(at_ms))


def forget_warmed(*, tienda_id: UUID) -> None:
    """Its products are not all warm any more."""
    scripts.delete_field(key=keys.meta(tienda_id), field=WARMED)


def warmed_at(*, tiendas: Sequence[UUID]) -> dict[UUID, datetime | None]:
    """When the last whole warmup of each tienda began, in one round trip a server; None without one, or after a flush.
    Those of a server that does not answer are left out. Raises a StockError."""
    found = scripts.ask_each(tiendas, lambda pipe, tienda: pipe.hget(keys.meta(tienda), WARMED))
    return {
        tienda: datetime.fromtimestamp(int(at_ms) / 1000, UTC) if at_ms else None for tienda, (at_ms,) in found.items()
    }


def note_drift(*, tienda_id: UUID, differences: int) -> None:
    """So many the tienda's last reconciliation found, for every process to see. Raises a StockError."""
    scripts.set_field(key=keys.meta(tienda_id), field=DRIFT, value=str(differences))


def available_anywhere(*, products: Sequence[tuple[UUID, UUID]]) -> dict[UUID, int | None]:
    """What can be promised of products (tienda, producto) of any tiendas, as available(); in one round trip."""
    wanted: dict[UUID, list[UUID]] = {}
    for tienda, producto in products:
        wanted.setdefault(tienda, []).append(producto)
    check = scripts.check_text()
    pipe = scripts.stock_client().pipeline(transaction=False)
    for tienda, productos in wanted.items():
        names = [keys.meta(tienda), *(keys.stock(tienda, producto) for producto in productos)]
        pipe.eval(check, len(names), *names)
    answers = scripts.guarded(pipe.execute) if wanted else []
    result: dict[UUID, int | None] = {}
    for productos, (epoch, *stock) in zip(wanted.values(), answers, strict=True):
        for producto, (saldo, reservado, _version, _catalogo) in zip(productos, stock, strict=True):
            result[producto] = int(saldo) - int(reservado) if epoch != "" and saldo != "" else None
    return result


def held_anywhere(*, sales: Sequence[tuple[UUID, UUID]]) -> set[tuple[UUID, UUID]]:
    """Those of these sales (tienda, venta) that have a live hold; of any tiendas, in one round trip."""
    pipe = scripts.stock_client().pipeline(transaction=False)
    for tienda, venta in sales:
        pipe.exists(keys.hold(tienda, venta))
    answers = scripts.guarded(pipe.execute) if sales else []
    return {sale for sale, held in zip(sales, answers, strict=True) if held}
