"""The ledger in the admin: read, filtered, searched, exported; never written."""

from collections.abc import Iterator
from typing import Any, ClassVar

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.admin_lists import TiendaFilter, WrittenRowsAdmin
from inventario.csv_export import stream_csv
from inventario.models import InventoryLedger

ROWS_A_FETCH = 2_000
PRODUCTO = "producto__id__exact"  # the parameter of one product's history
HEADER = (
    _("fecha"),
    _("tienda"),
    _("SKU"),
    _("producto"),
    _("movimiento"),
    _("cantidad"),
    _("saldo"),
    _("versión"),
    _("venta"),
    _("línea"),
    _("operación"),
    _("motivo"),
    _("usuario"),
)


class LedgerTiendaFilter(TiendaFilter):
    """The movements of one tienda's products."""

    tienda_path = "producto__tienda"


@admin.register(InventoryLedger)
class InventoryLedgerAdmin(WrittenRowsAdmin[InventoryLedger]):
    """Movements, the newest first. The database refuses to change them, and so does this."""

    tienda_path = "producto__tienda"
    list_display = ("fecha", "producto", "sku", "tipo", "delta", "saldo", "version", "motivo", "usuario")
    list_filter = (LedgerTiendaFilter, "tipo", "fecha")
    list_select_related = ("producto__tienda", "usuario")
    search_fields = ("producto__nombre", "=producto__sku", "=producto__codigo_barras", "=operacion", "motivo")
    search_help_text = _("Nombre, SKU o código de barras del producto; operación; motivo.")
    raw_id_fields = ("venta",)
    readonly_fields: ClassVar = [field.name for field in InventoryLedger._meta.fields]

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """A product's by their versions, as an index has them; those of many products as they were written."""
        return ("producto_id", "-version") if PRODUCTO in request.GET else ("-id",)

    @admin.display(description=_("SKU"), ordering="producto__sku")
    def sku(self, row: InventoryLedger) -> str:
        """The product's."""
        return row.producto.sku

    def get_urls(self) -> list[URLPattern]:
        """The export, before Django's own."""
        export = self.admin_site.admin_view(self.export)
        return [path("exportar/", export, name="inventario_inventoryledger_exportar"), *super().get_urls()]

    def export(self, request: HttpRequest) -> HttpResponseBase:
        """The list as it is filtered, whole, as CSV."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            rows = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(reverse("admin:inventario_inventoryledger_changelist"))
        return StreamingHttpResponse(
            stream_csv(header=HEADER, rows=_csv_rows(rows)),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="movimientos.csv"'},
        )


def _csv_rows(rows: QuerySet[InventoryLedger]) -> Iterator[tuple[Any, ...]]:
    movements = rows.select_related("producto__tienda", "venta", "usuario").order_by("id")
    for row in movements.iterator(chunk_size=ROWS_A_FETCH):
        tienda = row.producto.tienda
        yield (
            row.fecha.astimezone(tienda.zone),
            tienda.nombre,
            row.producto.sku,
            row.producto.nombre,
            row.tipo,
            row.delta,
            row.saldo,
            row.version,
            row.venta.venta_id if row.venta else None,
            row.linea,
            row.operacion,
            row.motivo,
            row.usuario.get_username() if row.usuario else None,
        )
