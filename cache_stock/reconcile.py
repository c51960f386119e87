"""Redis, its journal, PostgreSQL and the ledger compared, product by product, while tills sell; and the repair.

No false alarm: what looks wrong at first may be on its way. It is looked at again a moment later, what is held in one
script, and only what no sale under way explains is a difference. Repair is the protocol's own: a warmup, which
versions guard, or a cold start. What PostgreSQL and its ledger disagree about no program may decide.
"""

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from cache_stock import figures, journal, keys, reservation, rows, scripts, warmup
from inventario.audit import PRODUCTS_A_PAGE, AuditedProduct, audit_pages


class Difference(enum.StrEnum):
    """What is not as it must be."""

    LEDGER = "ledger"
    MISSING = "missing"
    SALDO = "saldo"
    BEHIND = "behind"
    AHEAD = "ahead"
    CATALOGUE = "catalogue"
    RESERVADO = "reservado"
    HOLD = "hold"


WHY = {
    Difference.LEDGER: "stock_actual, the sum of its ledger, its last saldo and its versions do not agree",
    Difference.MISSING: "Redis does not have it",
    Difference.SALDO: "Redis has another balance under the same version",
    Difference.BEHIND: "Redis has an older version, and no sale is under way that would bring the new one",
    Difference.AHEAD: "Redis has a version that PostgreSQL has not: PostgreSQL went back",
    Difference.CATALOGUE: "Redis has another price, tax or activity under the same version, or an older one",
    Difference.RESERVADO: "reservado is not what the holds of the journal add up to",
    Difference.HOLD: "the journal names a sale whose hold is gone",
}
BY_WARMUP = {Difference.MISSING, Difference.SALDO, Difference.BEHIND, Difference.CATALOGUE}
BY_COLD_START = {Difference.AHEAD, Difference.RESERVADO, Difference.HOLD}


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference; of a product, or of a sale where `producto_id` is None. `seen`: the figures, thousandths and
    cents."""

    what: Difference
    producto_id: UUID | None
    name: str
    seen: Mapping[str, int | None] = field(default_factory=dict)


@dataclass(slots=True)
class Report:
    """A tienda compared. `armed`: whether Redis promises anything of it; else PostgreSQL alone was looked at.

    `flushed`: products whose balance was flushed, which is no difference: they wait for a warmup.
    """

    tienda_id: UUID
    armed: bool
    products: int = 0
    flushed: int = 0
    findings: list[Finding] = field(default_factory=list)


@dataclass(slots=True)
class Look:
    """A first look: what is certain is in `report`; `doubts` may be on their way, and want a second look.

    `doubts`: what PostgreSQL said of each doubtful product; `lost`: a hold seemed to be gone.
    """

    report: Report
    epoch: int | None
    doubts: dict[UUID, AuditedProduct] = field(default_factory=dict)
    lost: bool = False

    @property
    def in_doubt(self) -> bool:
        """Whether confirm() has anything to do."""
        return bool(self.doubts) or self.lost


def look(*, tienda_id: UUID) -> Look:
    """Compare one tienda at full speed. Raises a StockError, rows.InsideTransaction, and what Django does where
    PostgreSQL is away."""
    rows.assert_committed()
    epoch = _epoch(tienda_id)
    found = Look(Report(tienda_id, armed=epoch is not None), epoch)
    held = _held(found) if found.report.armed else {}
    for page in audit_pages(tienda_id=tienda_id):
        found.report.products += len(page)
        found.report.findings += [_ledger_finding(product) for product in page if not product.adds_up]
        if found.report.armed:
            _compare(page, held, found)
    return found


def confirm(*, seen: Look) -> Report:
    """Look again at what was doubtful, some time after the first look. Raises as look() does."""
    report = seen.report
    if seen.in_doubt:
        confirmed = list(_confirmed(report.tienda_id, seen.doubts))
        report.armed = _epoch(report.tienda_id) == seen.epoch
        report.findings += confirmed if report.armed else []  # else a cold start has loaded it anew meanwhile
    return report


def repair(*, report: Report, now_ms: int) -> list[str]:
    """Mend what the protocol can mend; what was done, in words. Raises a StockError, ColdStartNeeded."""
    done = []
    cold = [finding for finding in report.findings if finding.what in BY_COLD_START]
    warm = sorted(
        {finding.producto_id for finding in report.findings if finding.what in BY_WARMUP and finding.producto_id}
    )
    if cold:
        journal.disarm(tienda_id=report.tienda_id)
        done.append("disarmed: nothing sells until the cold start has loaded it anew, seconds after the queue is empty")
    elif warm:
        warmup.warm_products(productos=warm, now_ms=now_ms)
        done.append(f"{len(warm)} products carried from PostgreSQL to Redis again")
    return done


def _epoch(tienda_id: UUID) -> int | None:
    return reservation.armed_epochs(tiendas=[tienda_id])[tienda_id]


def _held(found: Look) -> dict[UUID, int]:
    """What the holds add up to, thousandths, read in pieces."""
    sums: dict[UUID, int] = {}
    for entry in journal.entries(tienda_id=found.report.tienda_id):
        found.lost |= entry.hold is None
        for product in entry.hold.products if entry.hold else ():
            sums[product.producto_id] = sums.get(product.producto_id, 0) + product.cantidad_milli
    return sums


def _compare(page: Sequence[AuditedProduct], held: dict[UUID, int], found: Look) -> None:
    stock = figures.read_stock(tienda_id=found.report.tienda_id, productos=[product.producto_id for product in page])
    found.report.flushed += sum(there is not None and there.saldo_milli is None for there in stock)
    found.doubts |= {
        product.producto_id: product
        for product, there in zip(page, stock, strict=True)
        if not _agree(product, there, held.get(product.producto_id, 0))
    }


def _agree(product: AuditedProduct, stock: figures.StockHash | None, held_milli: int) -> bool:
    return (
        stock is not None
        and stock.version == product.version
        and stock.saldo_milli in {product.saldo_milli, None}
        and stock.catalogo_version == product.catalogo_version
        and _catalogue(stock) == (product.precio_centavos, product.impuesto, product.activo)
        and stock.reservado_milli == held_milli
    )


def _catalogue(stock: figures.StockHash | rows.Row) -> tuple[int, int, int]:
    return stock.precio_centavos, stock.impuesto, stock.activo


def _ledger_finding(product: AuditedProduct) -> Finding:
    seen = {
        "stock_actual": product.saldo_milli,
        "version": product.version,
        "movements": product.movements,
        "ledger_sum": product.ledger_sum_milli,
        "ledger_saldo": product.ledger_saldo_milli,
        "ledger_version": product.ledger_version,
    }
    return Finding(Difference.LEDGER, product.producto_id, _name(product), seen)


def _name(product: AuditedProduct) -> str:
    return f"{product.sku} {product.nombre}"


def _confirmed(tienda_id: UUID, doubts: dict[UUID, AuditedProduct]) -> Iterator[Finding]:
    """What is wrong still, and explained by nothing under way. Redis is read first, PostgreSQL after it."""
    productos = list(doubts)
    reported: set[str] = set()
    for start in range(0, max(len(productos), 1), PRODUCTS_A_PAGE):
        page = productos[start : start + PRODUCTS_A_PAGE]
        names = [keys.meta(tienda_id), keys.journal(tienda_id), *(keys.stock(tienda_id, p) for p in page)]
        _epoch_now, lost, sums = scripts.audit(keys=names, arguments=[keys.hold_prefix(tienda_id), *map(str, page)])
        for venta in lost:
            if venta not in reported:
                reported.add(venta)
                yield Finding(Difference.HOLD, None, venta)
        stock = figures.read_stock(tienda_id=tienda_id, productos=page)
        now = {UUID(row.producto): row for row in rows.by_tienda(productos=page).get(tienda_id, [])}
        for producto, (reservado, held), found in zip(page, sums, stock, strict=True):
            yield from _judged(doubts[producto], now[producto], found, reservado, held)


def _judged(
    before: AuditedProduct, now: rows.Row, stock: figures.StockHash | None, reservado: int | None, held: int
) -> Iterator[Finding]:
    """`before`: PostgreSQL at the first look; `now`: after `stock` was read. `reservado`, `held`: of one moment."""
    name = _name(before)
    if stock is None:
        yield Finding(Difference.MISSING, before.producto_id, name, {"stock_actual": now.saldo_milli, "held": held})
        return
    if reservado is not None and reservado != held:
        yield Finding(Difference.RESERVADO, before.producto_id, name, {"reservado": reservado, "held": held})
    versions = {"redis_version": stock.version, "version": now.version}
    if stock.version > now.version:
        yield Finding(Difference.AHEAD, before.producto_id, name, versions)
    elif stock.version < before.version and held == 0:
        yield Finding(Difference.BEHIND, before.producto_id, name, versions)
    elif stock.version == now.version and stock.saldo_milli not in {now.saldo_milli, None}:
        seen = {"saldo": stock.saldo_milli, "stock_actual": now.saldo_milli}
        yield Finding(Difference.SALDO, before.producto_id, name, seen)
    old = stock.catalogo_version < before.catalogo_version
    if old or (stock.catalogo_version == now.catalogo_version and _catalogue(stock) != _catalogue(now)):
        seen = {"precio": stock.precio_centavos, "precio_actual": now.precio_centavos}
        yield Finding(Difference.CATALOGUE, before.producto_id, name, seen)
