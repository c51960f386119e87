"""What a sale's way is counted by, under the specification's names where it has one; blend_pos.metrics shows it.

With PROMETHEUS_MULTIPROC_DIR set, every process of the machine counts into files there, and any web process shows the
sum; without it each process knows only its own.
"""

from http import HTTPStatus

from prometheus_client import Counter, Histogram

from cache_stock import reservation

FEW_MS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
TOGETHER = (1, 2, 5, 10, 20, 50, 100, 200, 500)

CHECKOUT_SECONDS = Histogram(
    "checkout_seconds",
    "From a checkout's arrival until its answer was made; by what the answer was: 201, 202, 4xx or 5xx.",
    ["outcome"],
    buckets=FEW_MS,
)
RESERVATIONS = Counter("stock_reservations_total", "Carts by what became of holding their stock.", ["outcome"])
HITS = Counter("stock_lookup_hits_total", "Look-ups of checkouts that found the product in Redis.")
MISSES = Counter("stock_lookup_misses_total", "Those that did not find it.")
PUBLISHES = Counter("sales_publish_total", "Messages of sales by what is known of them.", ["outcome"])
PUBLISH_SECONDS = Histogram(
    "sales_publish_seconds", "From sending a message of sales until it was confirmed or given up.", buckets=FEW_MS
)
PUBLISH_SALES = Histogram("sales_publish_batch_sales", "Sales in a message.", buckets=TOGETHER)
SALES_PROCESSED = Counter("sales_processed_total", "Sales written to PostgreSQL.")
SALE_SECONDS = Histogram(
    "sale_processing_seconds",
    "From a message's arrival in the worker until each of its sales was written and settled.",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
PERSIST_SALES = Histogram("sales_persist_batch_sales", "Sales in a transaction.", buckets=TOGETHER)
ATTEMPTS = Counter("sale_attempts_total", "Attempts to write a sale by what became of each.", ["outcome"])

REFUSALS: dict[type[reservation.ReservationRefused], str] = {
    reservation.Insufficient: "insufficient",
    reservation.NotCached: "not_cached",
    reservation.NotArmed: "not_armed",
    reservation.SaleConflict: "conflict",
    reservation.PriceDiffers: "price_differs",
    reservation.TooManyHolds: "too_many_holds",
    reservation.NotActive: "not_active",
}
_NOT_LOOKED_UP = (reservation.NotArmed, reservation.SaleConflict)
_RESERVED = {
    outcome: RESERVATIONS.labels(outcome)
    for outcome in ("held", "persisted", "unavailable", "reply_lost", *REFUSALS.values())
}
_ANSWERED = {outcome: CHECKOUT_SECONDS.labels(outcome) for outcome in ("taken", "followed", "refused", "unavailable")}
_PUBLISHED = {outcome: PUBLISHES.labels(outcome) for outcome in ("confirmed", "refused", "unknown")}
_ATTEMPTED = {outcome: ATTEMPTS.labels(outcome) for outcome in ("written", "known", "failed", "retried")}


def count_reservation(outcome: str) -> None:
    """A cart was held, or not: one of REFUSALS, held, persisted, unavailable or reply_lost."""
    _RESERVED[outcome].inc()


def count_lookups(*, products: int, refusal: reservation.ReservationRefused | None = None) -> None:
    """A cart of so many products was held, or refused: how many of them Redis had. Here and not in Redis, whose counts
    go with a tienda that is closed or a server that is away: a counter must not fall."""
    if isinstance(refusal, _NOT_LOOKED_UP):
        return
    missed = len(refusal.productos) if isinstance(refusal, reservation.NotCached) else 0
    HITS.inc(products - missed)
    if missed:
        MISSES.inc(missed)


def count_checkout(*, status: int, seconds: float) -> None:
    """A checkout was answered."""
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        outcome = "unavailable"
    elif status >= HTTPStatus.BAD_REQUEST:
        outcome = "refused"
    else:
        outcome = "followed" if status == HTTPStatus.ACCEPTED else "taken"
    _ANSWERED[outcome].observe(seconds)


def count_publish(*, outcome: str, sales: int, seconds: float) -> None:
    """A message of so many sales was sent: confirmed, refused or unknown."""
    _PUBLISHED[outcome].inc()
    PUBLISH_SALES.observe(sales)
    PUBLISH_SECONDS.observe(seconds)


def count_sales(*, written: int, known: int, failed: int, seconds: float) -> None:
    """What became of the sales of one transaction, so many seconds after their message came."""
    SALES_PROCESSED.inc(written)
    for _sale in range(written):
        SALE_SECONDS.observe(seconds)
    PERSIST_SALES.observe(written + known + failed)
    _ATTEMPTED["written"].inc(written)
    _ATTEMPTED["known"].inc(known)
    _ATTEMPTED["failed"].inc(failed)


def count_broken(*, retried: bool) -> None:
    """A sale broke its transaction: it is to be tried again, or has failed for good."""
    _ATTEMPTED["retried" if retried else "failed"].inc()
