"""Whether it adds up: what was sold, PostgreSQL's stock, the ledger and Redis, for every product."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from scripts.replay.baskets import UNIT_MILLI, Basket, Product

MOST_FILLABLE = 1 / 200  # of all refusals


@dataclass(frozen=True, slots=True)
class ProductEvidence:
    """What PostgreSQL and Redis say of one product, quantities in thousandths. None: there is nothing.

    `ledger_sold`: what its VENTA rows took. `breaks`: ledger rows whose saldo is not the one before plus their delta,
    or whose version does not follow on it.
    """

    stock_actual: int
    version: int
    ledger_rows: int
    ledger_delta: int | None
    ledger_last_saldo: int | None
    ledger_last_version: int | None
    breaks: int
    ledger_sold: int
    detalle_cantidad: int
    redis_saldo: int | None
    redis_reservado: int | None
    redis_version: int | None

    @property
    def available(self) -> int:
        """What Redis can still promise; nothing where it does not know."""
        return (self.redis_saldo or 0) - (self.redis_reservado or 0)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the servers say of a tienda at rest. Totals in cents; times in milliseconds, None without a sale."""

    products: Mapping[UUID, ProductEvidence]
    persisted: int
    lines: int
    total_centavos: int
    open_failures: int
    live_holds: int
    persist_p50_ms: float | None
    persist_p95_ms: float | None


@dataclass(frozen=True, slots=True)
class Sold:
    """What the tills know: the baskets that were accepted and those that were refused."""

    accepted: Sequence[Basket]
    refused: Sequence[Basket] = field(default_factory=tuple)

    def units(self) -> dict[str, int]:
        """Units sold of each product."""
        units: dict[str, int] = {}
        for basket in self.accepted:
            for name, count in basket.lines:
                units[name] = units.get(name, 0) + count
        return units


def find_drift(*, catalogue: Iterable[Product], sold: Sold, evidence: Evidence) -> dict[str, list[str]]:
    """What does not add up, for each product of which something does not: its name, and each equation that fails."""
    units = sold.units()
    drift = {}
    known = set()
    for product in catalogue:
        known.add(product.id)
        there = evidence.products.get(product.id)
        if there is None:
            wrong = ["it is not in PostgreSQL"]
        else:
            wrong = _wrong(there, initial=product.stock_milli, sold=UNIT_MILLI * units.get(product.nombre, 0))
        if wrong:
            drift[product.nombre] = wrong
    for stranger in evidence.products.keys() - known:
        drift[str(stranger)] = ["nobody made it"]
    return drift


def _wrong(there: ProductEvidence, *, initial: int, sold: int) -> list[str]:
    expected = initial - sold
    equations = [
        ("stock_actual = initial − sold", there.stock_actual, expected),
        ("Σ delta of the ledger = stock_actual", there.ledger_delta, there.stock_actual),
        ("last saldo of the ledger = stock_actual", there.ledger_last_saldo, there.stock_actual),
        ("version = last version of the ledger", there.version, there.ledger_last_version),
        ("rows of the ledger = version (no gap)", there.ledger_rows, there.version),
        ("breaks in the ledger", there.breaks, 0),
        ("Σ delta of the ledger's VENTA rows = −sold", -there.ledger_sold, -sold),
        ("Σ cantidad of detalle_ventas = sold", there.detalle_cantidad, sold),
        ("saldo in Redis = stock_actual", there.redis_saldo, there.stock_actual),
        ("reservado in Redis", there.redis_reservado, 0),
        ("version in Redis = version", there.redis_version, there.version),
    ]
    wrong = [f"{what}: {left} ≠ {right}" for what, left, right in equations if left != right]
    if expected < 0:
        wrong.append(f"sold what was not there: {sold} of {initial}")
    return wrong


def count_fillable(*, sold: Sold, catalogue: Iterable[Product], evidence: Evidence) -> int:
    """Refused baskets that what is left at rest could fill, each looked at alone."""
    available = {
        product.nombre: there.available
        for product in catalogue
        if (there := evidence.products.get(product.id)) is not None
    }
    return sum(
        all(available.get(name, 0) >= UNIT_MILLI * units for name, units in basket.lines) for basket in sold.refused
    )


def find_faults(
    *,
    sold: Sold,
    total_centavos: int,
    wrong_totals: int,
    catalogue: Sequence[Product],
    evidence: Evidence,
    ample: bool,
) -> list[str]:
    """What is not exact besides the products' own equations.

    `total_centavos` is what the accepted baskets cost, `wrong_totals` how many answers named another total.
    """
    accepted, refused = len(sold.accepted), len(sold.refused)
    lines = sum(len(basket.lines) for basket in sold.accepted)
    fillable = count_fillable(sold=sold, catalogue=catalogue, evidence=evidence)
    faults = [
        f"{what}: {left} ≠ {right}"
        for what, left, right in [
            ("persisted = accepted", evidence.persisted, accepted),
            ("rows of detalle_ventas = lines accepted", evidence.lines, lines),
            ("Σ total of ventas = Σ prices, cents", evidence.total_centavos, total_centavos),
            ("answers with a wrong total", wrong_totals, 0),
            ("open failed sales", evidence.open_failures, 0),
            ("holds left in Redis", evidence.live_holds, 0),
        ]
        if left != right
    ]
    if ample and refused:
        faults.append(f"refused though there was enough of everything: {refused}")
    if fillable > MOST_FILLABLE * refused:
        faults.append(f"refused, and could be filled at rest: {fillable} of {refused}")
    return faults
