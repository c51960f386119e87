"""Warm a tienda, some products, or forget what is warm. Safe at any moment: no holds are touched, versions decide."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from blend_pos.tiendas.models import Tienda
from cache_stock import arming, carrying, figures, keys, reservation, rows, scripts
from cache_stock.carrying import ColdStartNeeded, Progress
from inventario.catalogo import UnknownTienda

__all__ = ["ColdStartNeeded", "UnknownTienda", "WarmReport", "flush_tienda", "warm_products", "warm_tienda"]

POLL_S = 0.05  # between two looks at the claim: Redis tells nobody when it ends


@dataclass(frozen=True, slots=True)
class WarmReport:
    """What a warmup did. `productos_cacheados`: products that are sold; `products` counts the others, too.

    `stale`: balances that Redis knew better. `armed_now`: the tienda had never been armed.
    """

    tienda_id: UUID
    productos_cacheados: int
    products: int
    stale: int
    armed_now: bool


def warm_tienda(
    *, tienda_id: UUID, now_ms: int, progress: Progress | None = None, patience_s: float = 0.0, hurry: bool = False
) -> WarmReport:
    """Carry all products of a tienda to Redis, some hundred a call; `progress` hears of each call's number of them.

    A tienda that was never armed is armed; where another does so just now, as beat does, it is waited for, `patience_s`
    at most. It rests after each call, unless in a `hurry` or after a flush.

    Raises UnknownTienda, ColdStartNeeded, a StockError, rows.InsideTransaction.
    """
    rows.assert_committed()
    give_up = time.monotonic() + patience_s
    while True:
        epoch = Tienda.objects.filter(id=tienda_id).values_list("epoch", flat=True).first()
        if epoch is None:
            raise UnknownTienda(tienda_id)
        if epoch == 0:
            armed = arming.arm_new(tienda_id=tienda_id, progress=progress)
            if armed is not None:
                return WarmReport(tienda_id, armed.active, armed.products, 0, armed_now=True)
        if time.monotonic() >= give_up or not arming.first_is_under_way(tienda_id=tienda_id):
            break
        time.sleep(POLL_S)
    rests = not hurry and _is_warm(tienda_id)
    carried = carrying.carry_tienda(tienda_id=tienda_id, now_ms=now_ms, progress=progress, rests=rests)
    if not carried.products and reservation.armed_epochs(tiendas=[tienda_id])[tienda_id] is None:
        raise ColdStartNeeded(tienda_id)
    figures.note_warmed(tienda_id=tienda_id, at_ms=now_ms)
    return WarmReport(tienda_id, carried.active, carried.products, carried.stale, armed_now=False)


def _is_warm(tienda_id: UUID) -> bool:
    return carrying.insist(partial(figures.warmed_at, tiendas=[tienda_id])).get(tienda_id) is not None


def warm_products(*, productos: Sequence[UUID], now_ms: int) -> int:
    """Carry some products to Redis, after the commit that changed them; how many. Raises as warm_tienda does.

    A tienda that was never armed is left alone: arming it will read them.
    """
    found = rows.by_tienda(productos=productos)
    armed = set(Tienda.objects.filter(id__in=found, epoch__gt=0).values_list("id", flat=True))
    done = 0
    for tienda_id in sorted(armed):
        products = found[tienda_id]
        for start in range(0, len(products), rows.PRODUCTS_A_CALL):
            page = products[start : start + rows.PRODUCTS_A_CALL]
            done += carrying.carry_rows(tienda_id=tienda_id, rows=page, now_ms=now_ms).products
    return done


def flush_tienda(*, tienda_id: UUID) -> int:
    """Forget what is warm; how many products that were. They answer "not in the cache" until they are warmed again.

    Raises a StockError. What a warmup carries meanwhile may stay.
    """
    loaded = keys.loaded(tienda_id)
    figures.forget_warmed(tienda_id=tienda_id)
    forgotten = 0
    for _round in range(-(-figures.warm_products_count(tienda_id=tienda_id) // rows.PRODUCTS_A_CALL)):
        productos = figures.some_warm_products(tienda_id=tienda_id, most=rows.PRODUCTS_A_CALL)
        if not productos:
            break
        names = [loaded, *(keys.stock_prefix(tienda_id) + producto for producto in productos)]
        forgotten += scripts.flush(keys=names, arguments=productos)
    return forgotten
