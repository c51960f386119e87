"""Reading products: the search of a till or a manager, and what changed since.

A row is never missed however late its transaction commits. `actualizado` is the database's clock, read by a statement
that came after the transaction had its number. So before the rows are read, settled_until() asks when the oldest
transaction with a number began: whatever the rows do not show yet was written, or will be, no earlier than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection
from django.db.models import Case, F, Func, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from inventario.models import Producto

# For a database clock that steps back (a failover, a correction), and for writers that pg_stat_activity hides.
OVERLAP = timedelta(seconds=10)
ACCENTED, PLAIN = "áéíóúüñ", "aeiouun"

SETTLED_UNTIL = """
SELECT least(statement_timestamp(), min(xact_start)) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' AND backend_xid IS NOT NULL
    AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, slots=True)
class Since:
    """Where a reader of changes is: after the row (`at`, `after`), or from `at` on; `until` once its pages began."""

    at: datetime
    after: UUID | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """One page of changes, the oldest first; `since` is for the next call, which comes at once while `more`."""

    products: Sequence[Producto]
    since: Since
    more: bool


def settled_until() -> datetime:
    """Every change before this moment is committed or will never be."""
    with connection.cursor() as cursor:
        cursor.execute(SETTLED_UNTIL)
        moment: datetime = cursor.fetchone()[0]
    return moment


def changed_products(*, tienda_id: UUID, since: Since, most: int) -> Changes:
    """At most `most` products, active or not, that changed otherwise than by a sale. A product may come twice."""
    until = since.until or settled_until()
    products = Producto.objects.filter(tienda_id=tienda_id).order_by("actualizado", "id")
    if since.after is None:
        products = products.filter(actualizado__gte=since.at - OVERLAP)
    else:
        products = products.filter(
            Q(actualizado__gt=since.at) | Q(actualizado=since.at, id__gt=since.after), actualizado__gte=since.at
        )
    page = list(products[: most + 1])
    if len(page) <= most:
        return Changes(page, Since(until), more=False)
    last = page[most - 1]
    return Changes(page[:most], Since(last.actualizado, last.id, until), more=True)


def search_products(*, tienda_id: UUID, text: str) -> QuerySet[Producto]:
    """The active products that hold every word of `text` in name, SKU or barcode; that very barcode or SKU first."""
    products = Producto.objects.filter(tienda_id=tienda_id, is_active=True)
    text = text.strip()
    if not text:
        return products.order_by("nombre", "id")
    products = products.alias(
        plain=Func(Lower("nombre"), Value(ACCENTED), Value(PLAIN), function="translate"),
        rank=Case(
            When(codigo_barras=text, then=0), When(sku__iexact=text, then=1), default=2, output_field=IntegerField()
        ),
    )
    for word in text.lower().translate(str.maketrans(ACCENTED, PLAIN)).split():
        products = products.filter(Q(plain__contains=word) | Q(sku__icontains=word) | Q(codigo_barras__startswith=word))
    return products.order_by(F("rank"), "nombre", "id")
