"""What the worker counts, under the specification's names; blend_pos.metrics shows it.

With PROMETHEUS_MULTIPROC_DIR set, every process of the machine counts into files there, and any web process shows the
sum; without it each process knows only its own.
"""

from uuid import UUID

from prometheus_client import Counter, Gauge, Histogram

SALES_PROCESSED = Counter("sales_processed_total", "Sales written to PostgreSQL.")
SALE_SECONDS = Histogram(
    "sale_processing_seconds",
    "From a message's arrival in the worker until each of its sales was written and settled.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
STOCK_DRIFT = Gauge(
    "stock_drift_products",
    "Differences between Redis, its journal, PostgreSQL and the ledger that the last reconciliation found.",
    ["tienda"],
    multiprocess_mode="mostrecent",
)


def note_drift(*, tienda_id: UUID, differences: int) -> None:
    """What the last reconciliation of a tienda found."""
    STOCK_DRIFT.labels(str(tienda_id)).set(differences)


def count_sales(*, sales: int, seconds: float) -> None:
    """So many sales were written together, each so many seconds after their message came."""
    SALES_PROCESSED.inc(sales)
    for _sale in range(sales):
        SALE_SECONDS.observe(seconds)
