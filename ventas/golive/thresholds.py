"""What is to be so once the shop sells: each figure of the specification, read from /metrics."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from ventas.golive.findings import Finding, Text, advice, failed, passed
from ventas.golive.scrape import Judge, Page

FEWEST = 100  # checkouts, look-ups: less than that says nothing yet
P95, WITHIN_S = 0.95, 0.05
SOLD = ("taken", "followed")  # a cart that is refused at once is no sale that was quick
HIT_RATE = 0.95
MOST_WAITING = 100
OLDEST_HOLD_S = 60.0


def judges() -> dict[str, tuple[Text, Judge]]:
    """Each by the key of its line, with the line's name."""
    return {
        "selling.p95": (gettext_lazy("Respuesta a la caja, p95"), p95),
        "selling.hit_rate": (gettext_lazy("Stock encontrado en memoria"), hit_rate),
        "selling.queue": (gettext_lazy("Cola de ventas"), queue),
        "selling.oldest_hold": (gettext_lazy("La venta que más espera"), oldest_hold),
        "selling.failed_sales": (gettext_lazy("Ventas fallidas sin resolver"), failed_sales),
        "selling.drift": (gettext_lazy("Diferencias de la última conciliación"), drift),
    }


def p95(page: Page) -> Finding:
    """95 of 100 sales are answered within 50 ms."""
    found = page.histogram("checkout_seconds", outcomes=SOLD)
    if found.count < FEWEST:
        return _not_yet(found.count)
    seen = _("%(ms).0f ms de %(n)d") % {"ms": found.quantile_s(P95) * 1000, "n": found.count}
    if found.share_within(WITHIN_S) >= P95:
        return passed(seen)
    return failed(seen, _("Tienen que ser menos de 50 ms: docs/performance.md dice qué cuesta; más procesos de web."))


def hit_rate(page: Page) -> Finding:
    """More than 95 of 100 look-ups found their product in Redis."""
    hits, misses = page.total("stock_lookup_hits_total"), page.total("stock_lookup_misses_total")
    if hits is None or misses is None:
        return _unknown("stock_lookup_hits_total")
    if hits + misses < FEWEST:
        return _not_yet(hits + misses)
    seen = _("%(por_ciento).1f %% de %(n)d") % {"por_ciento": 100 * hits / (hits + misses), "n": hits + misses}
    if hits > HIT_RATE * (hits + misses):
        return passed(seen)
    return failed(seen, _("Tienen que ser más de 95 de cada 100: manage.py warmup_stock --all."))


def queue(page: Page) -> Finding:
    """Fewer than 100 messages wait."""
    waiting = page.total("sales_queue_messages", queue="sales.created")
    if waiting is None:
        return _unknown("sales_queue_messages")
    seen = _("%(n)d mensajes") % {"n": waiting}
    if waiting < MOST_WAITING:
        return passed(seen)
    return failed(seen, _("Tienen que ser menos de 100: docs/operations.md, «La cola es larga»."))


def oldest_hold(page: Page) -> Finding:
    """No sale waits for longer than a minute."""
    age_s = page.total("stock_oldest_hold_seconds")
    if age_s is None:
        return _unknown("stock_oldest_hold_seconds")
    seen = _("%(s).0f s") % {"s": age_s}
    if age_s <= OLDEST_HOLD_S:
        return passed(seen)
    return failed(seen, _("manage.py ventas_en_vuelo dice dónde está. docs/operations.md, «El worker no consume»."))


def failed_sales(page: Page) -> Finding:
    """None waits for a person."""
    waiting = page.total("sales_failed_open")
    if waiting is None:
        return _unknown("sales_failed_open")
    if not waiting:
        return passed(_("ninguna"))
    return advice(f"{waiting:.0f}", _("Decídelas en /admin/, Ventas fallidas."))


def drift(page: Page) -> Finding:
    """Redis, PostgreSQL and the ledger said the same."""
    differing = page.total("stock_drift_products")
    if differing is None:
        return advice(_("ninguna conciliación todavía"), _("Beat la hace cada hora; ahora: manage.py reconcile_stock."))
    if not differing:
        return passed(_("ninguna"))
    return failed(f"{differing:.0f}", _("docs/operations.md, «Algo no cuadra»."))


def _not_yet(count: float) -> Finding:
    return advice(
        _("todavía no se sabe: %(n)d de %(hacen_falta)d") % {"n": count, "hacen_falta": FEWEST},
        _("Vende un rato y repite esta orden."),
    )


def _unknown(name: str) -> Finding:
    return failed(_("/metrics no tiene %(cifra)s") % {"cifra": name}, _("La línea de /metrics dice qué no contesta."))
