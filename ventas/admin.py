"""Sales in the admin: written ones to read, failed ones to decide on. Nothing is edited or deleted here."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import SEARCH_VAR
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.admin_lists import (
    PersonFilter,
    TiendaFilter,
    WrittenRowsAdmin,
    one_tienda,
    read_number,
    visible_tiendas,
)
from blend_pos.tiendas.models import Terminal
from inventario.models import InventoryLedger
from ventas import short_codes
from ventas.failed_sales_admin import VentaFallidaAdmin
from ventas.models import DetalleVenta, Pago, Venta, VentaFallida

if TYPE_CHECKING:
    _TabularInline = admin.TabularInline[Any, Any]
else:  # it takes no type parameter at run time
    _TabularInline = admin.TabularInline


class ReadOnlyRows(_TabularInline):
    """Rows that belong to a sale, shown beside it."""

    extra = 0
    can_delete = False
    show_change_link = False
    ordering = ("linea",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With their products, in one query."""
        return super().get_queryset(request).select_related("producto")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Nobody."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whoever sees the sale."""
        return True


class DetalleInline(ReadOnlyRows):
    """The lines."""

    model = DetalleVenta
    fields = ("linea", "producto", "cantidad", "precio_unitario", "impuesto", "importe")


class PagoInline(ReadOnlyRows):
    """How it was paid, where the till said so."""

    model = Pago
    fields = ("orden", "metodo", "importe", "recibido", "referencia")
    ordering = ("orden",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """A payment has no product."""
        return admin.TabularInline.get_queryset(self, request)


class LedgerInline(ReadOnlyRows):
    """The movements of stock that the sale made."""

    model = InventoryLedger
    fields = ("producto", "tipo", "delta", "saldo", "version", "fecha")


class CajeroFilter(PersonFilter):
    """The sales of one cajero."""

    title = _("cajero")
    parameter_name = "cajero"


@admin.register(Venta)
class VentaAdmin(WrittenRowsAdmin[Venta]):
    """Written sales, the newest first."""

    list_display = ("fecha", "tienda", "terminal", "recibo", "total", "metodo_pago", "cajero", "codigo", "venta_id")
    list_filter = (TiendaFilter, "fecha", "metodo_pago", CajeroFilter)
    list_select_related = ("tienda", "terminal", "cajero")
    search_fields = ("venta_id",)  # shows the box; get_search_results does the search
    search_help_text = _(
        "El código del recibo (K7Q2-M9TD), la venta (su UUID), el número de recibo o un día (2026-07-31). "
        "La lista llega a las 10 000 más nuevas."
    )
    inlines = (DetalleInline, PagoInline, LedgerInline)
    fields = (
        "codigo",
        "tienda",
        "venta_id",
        "huella",
        "fecha",
        "total",
        "metodo_pago",
        "cajero",
        "terminal",
        "recibo",
        "epoch",
        "persistida",
    )
    readonly_fields: ClassVar = list(fields)

    @admin.display(description=_("código"))
    def codigo(self, venta: Venta) -> str:
        """As its receipt has it."""
        return short_codes.readable_code(venta_id=venta.venta_id)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Venta]:
        """Always by tienda, a superuser's too: the indexes begin with it."""
        return super().get_queryset(request).filter(tienda__in=self._tiendas(request))

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """By their time, as a tienda's index has them; all those of several tiendas as they were written."""
        by_time = one_tienda(request, self.view_rol) or request.GET.get(SEARCH_VAR)
        return ("-fecha", "-id") if by_time else ("-id",)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Venta], search_term: str
    ) -> tuple[QuerySet[Venta], bool]:
        """What is asked for is known by its form, and each has an index."""
        term = search_term.strip()
        if term:
            queryset = queryset.filter(self._wanted(request, term))
        return queryset, False

    def _wanted(self, request: HttpRequest, term: str) -> Q:
        number = read_number(term)
        if number is not None:
            terminals = Terminal.objects.filter(tienda__in=self._tiendas(request)).values_list("pk", flat=True)
            return Q(terminal__in=list(terminals), recibo=number)
        ending = short_codes.read_code(text=term)
        if ending:
            newest = Venta.objects.order_by("-fecha", "-id")
            return short_codes.with_ending(rows=newest, tiendas=self._tiendas(request), ending=ending)
        try:
            return Q(venta_id=UUID(term))
        except ValueError:
            pass
        try:
            day = date.fromisoformat(term)
        except ValueError:
            return Q(pk__in=())
        start = timezone.make_aware(datetime.combine(day, time.min))
        end = timezone.make_aware(datetime.combine(day + timedelta(days=1), time.min))
        return Q(fecha__gte=start, fecha__lt=end)

    def _tiendas(self, request: HttpRequest) -> list[UUID]:
        return [pk for pk, _nombre in visible_tiendas(request, self.view_rol)]


admin.site.register(VentaFallida, VentaFallidaAdmin)
