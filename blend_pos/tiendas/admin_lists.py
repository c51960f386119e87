"""Lists of rows that are written all day and never edited: as fast with millions of them as with a hundred.

Nothing here counts or looks through the whole table. A page is found by an index, the pages are bounded, and a filter
offers what the small tables know, not the distinct values of the large one.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.admin_roles import TiendaScopedAdmin, tiendas_with_role
from blend_pos.tiendas.models import SONDA_ID, Tienda

Row = TypeVar("Row", bound=Model)
MOST_ROWS = 10_000
ROWS_A_PAGE = 100
MOST_DIGITS = 18  # what a bigint holds for certain
VISIBLE_ATTRIBUTE = "blend_visible_tiendas"

if TYPE_CHECKING:
    _Paginator = Paginator[Any]
else:  # it takes no type parameter at run time
    _Paginator = Paginator


def read_number(text: str) -> int | None:
    """A whole number that a bigint holds; None for anything else, and for digits beyond count."""
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


class BoundedPaginator(_Paginator):
    """The newest MOST_ROWS rows; whoever looks for older ones narrows the list down."""

    object_list: QuerySet[Any]

    @cached_property
    def count(self) -> int:
        """How many rows the pages have in all, counted no further than that."""
        return self.object_list.order_by()[:MOST_ROWS].count()


def visible_tiendas(request: HttpRequest, rol: str) -> Sequence[tuple[UUID, str]]:
    """The tiendas in which one may look, (id, nombre) by nombre; read once a request."""
    found: dict[str, list[tuple[UUID, str]]] = getattr(request, VISIBLE_ATTRIBUTE, {})
    if rol not in found:
        tiendas = Tienda.objects.exclude(pk=SONDA_ID).order_by("nombre", "id")
        if not request.user.is_superuser:
            tiendas = tiendas.filter(pk__in=tiendas_with_role(request, rol))
        found[rol] = list(tiendas.values_list("pk", "nombre"))
        setattr(request, VISIBLE_ATTRIBUTE, found)
    return found[rol]


class TiendaFilter(admin.SimpleListFilter):
    """The rows of one tienda."""

    title = _("tienda")
    parameter_name = "tienda"
    tienda_path: ClassVar[str] = "tienda"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Those in which one may look."""
        return [(str(pk), nombre) for pk, nombre in visible_tiendas(request, model_admin.view_rol)]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Its rows; the list has none of a tienda in which one may not look."""
        value = self.value()
        if value is None:
            return queryset
        try:
            return queryset.filter(**{self.tienda_path: UUID(value)})
        except ValueError as error:
            raise IncorrectLookupParameters from error


class PersonFilter(admin.SimpleListFilter):
    """The rows of one person, of those who belong to the tiendas in which one may look."""

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Everybody who is, in whatever role, a member."""
        tiendas = [pk for pk, _nombre in visible_tiendas(request, model_admin.view_rol)]
        people = User.objects.filter(membresias__tienda__in=tiendas).distinct().order_by("username")
        return [(str(pk), username) for pk, username in people.values_list("pk", "username")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """Theirs."""
        value = self.value()
        if value is None:
            return queryset
        number = read_number(value)
        if number is None:
            raise IncorrectLookupParameters
        return queryset.filter(**{str(self.parameter_name): number})


class WrittenRowsAdmin(TiendaScopedAdmin[Row]):
    """Rows that the pipeline writes: to read, for an encargado or above; nobody adds, changes or deletes one."""

    paginator = BoundedPaginator
    list_per_page = ROWS_A_PAGE
    list_max_show_all = ROWS_A_PAGE
    show_full_result_count = False
    sortable_by = ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Row | None = None) -> bool:
        """Nobody."""
        return False


def one_tienda(request: HttpRequest, rol: str) -> bool:
    """Whether the list shows one tienda only: the one that was chosen, or the only one there is."""
    return TiendaFilter.parameter_name in request.GET or len(visible_tiendas(request, rol)) == 1
