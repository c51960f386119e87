"""Products with what can be promised of them now: the search, what changed, one of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Count, Window

from cache_stock import reservation
from cache_stock.scripts import StockError
from inventario.models import Producto
from inventario.selectors import Since, changed_products, search_products


@dataclass(frozen=True, slots=True)
class LiveProduct:
    """A product; `disponible_milli` is None where Redis does not have it, or does not answer."""

    producto: Producto
    disponible_milli: int | None


@dataclass(frozen=True, slots=True)
class SearchPage:
    """One page of a search; `count` is that of all pages."""

    products: list[LiveProduct]
    count: int


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """One page of changes; `since` is for the next call, which comes at once while `more`."""

    products: list[LiveProduct]
    since: Since
    more: bool


def find_product(*, tienda_id: UUID, producto_id: UUID) -> LiveProduct | None:
    """One product of the tienda, sold or not."""
    found = Producto.objects.filter(tienda_id=tienda_id, pk=producto_id)
    return next(iter(_live(tienda_id, list(found))), None)


def live(*, tienda_id: UUID, productos: Sequence[UUID]) -> dict[UUID, int | None]:
    """What can be promised of each now, thousandths, never below nothing; None where Redis does not say. No SQL."""
    try:
        available = reservation.available(tienda_id=tienda_id, productos=productos)
    except StockError:
        return dict.fromkeys(productos)
    return {producto: None if milli is None else max(milli, 0) for producto, milli in available.items()}


def search(*, tienda_id: UUID, text: str, page: int, most: int) -> SearchPage:
    """The products that are sold and match `text` (all of them where it is empty); pages count from 1."""
    found = search_products(tienda_id=tienda_id, text=text)
    first = (page - 1) * most
    if not text.strip():
        return SearchPage(_live(tienda_id, list(found[first : first + most])), found.count())
    # A search reads every product of the tienda: once, with the count beside the rows.
    products = list(found.annotate(total=Window(Count("*")))[first : first + most])
    count = products[0].total if products else found.count() if first else 0
    return SearchPage(_live(tienda_id, products), count)


def changes(*, tienda_id: UUID, since: Since, most: int) -> ChangesPage:
    """The products that changed, sold or not, for a copy of the catalogue."""
    found = changed_products(tienda_id=tienda_id, since=since, most=most)
    return ChangesPage(_live(tienda_id, found.products), found.since, found.more)


def _live(tienda_id: UUID, products: Sequence[Producto]) -> list[LiveProduct]:
    """One script call for all of them."""
    try:
        available = reservation.available(tienda_id=tienda_id, productos=[product.pk for product in products])
    except StockError:
        available = {}
    return [LiveProduct(product, available.get(product.pk)) for product in products]
