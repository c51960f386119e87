"""Sales in the admin: written ones to read, failed ones to decide on. Nothing is edited or deleted here."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.admin_roles import TiendaScopedAdmin
from blend_pos.tiendas.models import Rol
from cache_stock import reservation
from cache_stock.scripts import StockError
from inventario.models import InventoryLedger
from ventas import failed_sales
from ventas.forms import ConfirmForm, DiscardForm
from ventas.models import DetalleVenta, EstadoFalla, Venta, VentaFallida

RETRY, DISCARD = "reintentar", "descartar"
FAILED_LIST = "admin:ventas_ventafallida_changelist"


if TYPE_CHECKING:
    _TabularInline = admin.TabularInline[Any, Any]
else:  # it takes no type parameter at run time
    _TabularInline = admin.TabularInline


class ReadOnlyRows(_TabularInline):
    """Rows that belong to a sale, shown beside it."""

    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 - the base class' signature
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 - the base class' signature
        """Nobody."""
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002 - the base class' signature
        """Whoever sees the sale."""
        return True


class DetalleInline(ReadOnlyRows):
    """The lines."""

    model = DetalleVenta
    fields = ("linea", "producto", "cantidad", "precio_unitario", "impuesto", "importe")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With their products, in one query."""
        return super().get_queryset(request).select_related("producto")


class LedgerInline(ReadOnlyRows):
    """The movements of stock that the sale made."""

    model = InventoryLedger
    fields = ("producto", "tipo", "delta", "saldo", "version", "fecha")
    ordering = ("linea",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With their products, in one query."""
        return super().get_queryset(request).select_related("producto")


class UnchangeableAdmin(TiendaScopedAdmin[Any]):
    """Rows that the pipeline writes and nobody edits."""

    list_per_page = 100
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the base class' signature
        """Nobody."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - the base class' signature
        """Nobody."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - the base class' signature
        """Nobody."""
        return False


@admin.register(Venta)
class VentaAdmin(UnchangeableAdmin):
    """Written sales, the newest first."""

    list_display = ("fecha", "tienda", "terminal", "recibo", "total", "metodo_pago", "cajero", "venta_id")
    list_filter = ("metodo_pago", "fecha", ("tienda", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("tienda", "terminal", "cajero")
    search_fields = ("=venta_id", "=recibo")
    search_help_text = _("La venta (su UUID entero) o el número de recibo.")
    inlines = (DetalleInline, LedgerInline)


@admin.register(VentaFallida)
class VentaFallidaAdmin(UnchangeableAdmin):
    """Failed sales, the open ones first to the eye: each is kept until somebody decides."""

    list_display = ("registrada", "tienda", "estado", "motivo", "total", "venta_id", "error_corto", "resuelta_por")
    list_filter = ("estado", "motivo", "registrada", ("tienda", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("tienda", "resuelta_por")
    ordering = ("estado", "-registrada")  # ABIERTA comes first
    search_fields = ("=venta_id",)
    search_help_text = _("La venta: su UUID entero.")
    actions = (RETRY, DISCARD)
    change_form_template = "admin/ventas/ventafallida/change_form.html"
    fields = (
        "tienda",
        "venta_id",
        "estado",
        "motivo",
        "error",
        "lineas",
        "total",
        "reserva",
        "registrada",
        "resuelta",
        "resuelta_por",
        "nota",
        "cuerpo",
    )
    readonly_fields: ClassVar = list(fields)

    @admin.display(description=_("total"))
    def total(self, failed: VentaFallida) -> str:
        """What the customer paid."""
        return str((failed.mensaje or {}).get("total", "—"))

    @admin.display(description=_("error"))
    def error_corto(self, failed: VentaFallida) -> str:
        """Its beginning."""
        return failed.error[:80]

    @admin.display(description=_("líneas"))
    def lineas(self, failed: VentaFallida) -> str:
        """Product, quantity and amount of each."""
        items = (failed.mensaje or {}).get("items", [])
        rows = ((item.get("producto_id"), item.get("cantidad"), item.get("importe")) for item in items)
        return format_html_join("", "<div>{} × {} = {}</div>", rows) or "—"

    @admin.display(description=_("reserva en Redis"))
    def reserva(self, failed: VentaFallida) -> str:
        """Whether its stock is still held."""
        if failed.tienda_id is None or failed.venta_id is None:
            return "—"
        try:
            held = reservation.is_held(tienda_id=failed.tienda_id, venta_id=failed.venta_id)
        except StockError:
            return str(_("Redis no responde"))
        return str(_("Sí") if held else _("No"))

    @admin.action(description=_("Reintentar"), permissions=["view"])
    def reintentar(self, request: HttpRequest, queryset: QuerySet[VentaFallida]) -> HttpResponse:  # noqa: ARG002 - the base class' signature
        """Ask first."""
        return _ask(RETRY, queryset)

    @admin.action(description=_("Descartar"), permissions=["view"])
    def descartar(self, request: HttpRequest, queryset: QuerySet[VentaFallida]) -> HttpResponse:  # noqa: ARG002 - the base class' signature
        """Ask first."""
        return _ask(DISCARD, queryset)

    def get_urls(self) -> list[URLPattern]:
        """The pages that ask, before Django's own."""
        view = self.admin_site.admin_view(self.decide)
        return [path("<str:accion>/confirmar/", view, name="ventas_ventafallida_confirmar"), *super().get_urls()]

    def decide(self, request: HttpRequest, accion: str) -> HttpResponse:
        """Show what is going to happen; on POST do it, say what became of each, and record who did it.

        Retrying is an encargado's. Discarding is a supervisor's: an administrador's.
        """
        ids = [number for number in request.GET.getlist("id") if number.isdecimal()]
        named = self.get_queryset(request).filter(pk__in=ids).select_related("tienda")
        chosen = [failed for failed in named if self._may_decide(request, accion, failed)]
        if accion not in {RETRY, DISCARD} or not chosen:
            raise Http404
        form = (DiscardForm if accion == DISCARD else ConfirmForm)(request.POST if request.method == "POST" else None)
        if form.is_valid():
            for failed in chosen:
                self._decide_one(request, accion, failed, form)
            return HttpResponseRedirect(reverse(FAILED_LIST))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Descartar ventas fallidas") if accion == DISCARD else _("Reintentar ventas fallidas"),
            "opts": self.opts,
            "descartar": accion == DISCARD,
            "ventas": [(failed, self.total(failed), self.reserva(failed)) for failed in chosen],
            "form": form,
        }
        return TemplateResponse(request, "admin/ventas/ventafallida/confirmar.html", context)

    def _may_decide(self, request: HttpRequest, accion: str, failed: VentaFallida) -> bool:
        return self._may(request, Rol.ADMINISTRADOR if accion == DISCARD else Rol.ENCARGADO, failed)

    def _decide_one(self, request: HttpRequest, accion: str, failed: VentaFallida, form: forms.Form) -> None:
        now = datetime.now(UTC)
        try:
            if accion == RETRY:
                failed_sales.retry(failed_id=failed.pk, now=now)
                done, record = _("Venta %(venta)s: en cola otra vez."), "reintentada"
            else:
                failed_sales.discard(
                    failed_id=failed.pk,
                    usuario_id=request.user.pk or 0,
                    nota=form.cleaned_data["nota"],
                    goods_came_back=form.cleaned_data["mercancia"] == DiscardForm.CAME_BACK,
                    now=now,
                )
                done = _("Venta %(venta)s: descartada.")
                record = f"descartada ({form.cleaned_data['mercancia']}): {form.cleaned_data['nota']}"
        except failed_sales.FailedSaleError as refusal:
            self.message_user(request, f"{failed.venta_id or failed.pk}: {refusal}", messages.ERROR)
            return
        self.log_change(request, failed, record)
        self.message_user(request, done % {"venta": failed.venta_id or failed.pk}, messages.SUCCESS)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's, with the two ways out of an open one."""
        failed = self.get_object(request, object_id)
        still_open = failed is not None and failed.estado in {EstadoFalla.ABIERTA, EstadoFalla.REINTENTADA}
        ways = [
            (_confirm_url(accion, [failed.pk]), text)
            for accion, text in ((RETRY, _("Reintentar")), (DISCARD, _("Descartar")))
            if still_open and failed is not None and self._may_decide(request, accion, failed)
        ]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "ways": ways})


def _confirm_url(accion: str, ids: list[int]) -> str:
    query = urlencode([("id", number) for number in ids])
    return f"{reverse('admin:ventas_ventafallida_confirmar', args=[accion])}?{query}"


def _ask(accion: str, queryset: QuerySet[VentaFallida]) -> HttpResponse:
    return HttpResponseRedirect(_confirm_url(accion, list(queryset.values_list("pk", flat=True))))
