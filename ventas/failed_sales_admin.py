"""Failed sales in the admin: each is kept until somebody decides, and then it is on record who did, and why."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import localize
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.admin_lists import TiendaFilter, WrittenRowsAdmin, read_number, visible_tiendas
from blend_pos.tiendas.models import Accion, Rol
from cache_stock import figures
from cache_stock.scripts import StockError
from ventas import failed_sales, selectors, short_codes
from ventas.forms import DiscardForm, RetryForm
from ventas.models import EstadoFalla, VentaFallida

RETRY, DISCARD = "reintentar", "descartar"
NEEDED = {RETRY: Rol.ENCARGADO, DISCARD: Rol.ADMINISTRADOR}
OPEN = (EstadoFalla.ABIERTA, EstadoFalla.REINTENTADA)
FAILED_LIST = "admin:ventas_ventafallida_changelist"
HELD_ATTRIBUTE = "blend_held"
SALE_ATTRIBUTE = "blend_sale"
MOST_AT_ONCE = 100


class FailedChangeList(ChangeList):
    """Adds whether the stock of the page's sales is still held."""

    def get_results(self, request: HttpRequest) -> None:
        """One round trip to Redis a page."""
        super().get_results(request)
        self.result_list = look_for_holds(list(self.result_list))


def look_for_holds(failed: Sequence[VentaFallida]) -> list[VentaFallida]:
    """The same rows, each knowing whether it is held: True, False, or None where Redis does not answer."""
    sales = [(row.tienda_id, row.venta_id) for row in failed if row.tienda_id and row.venta_id]
    try:
        held = figures.held_anywhere(sales=sales)
    except StockError:
        held = None
    for row in failed:
        setattr(row, HELD_ATTRIBUTE, None if held is None else (row.tienda_id, row.venta_id) in held)
    return list(failed)


class VentaFallidaAdmin(WrittenRowsAdmin[VentaFallida]):
    """The open ones first, the newest of them first."""

    list_display = (
        "registrada",
        "estado",
        "motivo",
        "total",
        "codigo",
        "reserva",
        "tienda",
        "venta_id",
        "breve",
        "resuelta_por",
    )
    list_filter = ("estado", "motivo", "registrada", TiendaFilter)
    list_select_related = ("tienda", "resuelta_por")
    ordering = ("estado", "-registrada", "-id")  # ABIERTA comes first
    search_fields = ("=venta_id",)
    search_help_text = _("El código del recibo (K7Q2-M9TD) o la venta (su UUID entero).")
    actions = (RETRY, DISCARD)
    change_form_template = "admin/ventas/ventafallida/change_form.html"
    fields = (
        "codigo",
        "tienda",
        "venta_id",
        "estado",
        "motivo",
        "error",
        "vendida",
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

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list with what is held."""
        return FailedChangeList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[VentaFallida], search_term: str
    ) -> tuple[QuerySet[VentaFallida], bool]:
        """A receipt's code finds its sale, too."""
        ending = short_codes.read_code(text=search_term)
        if ending is None:
            return super().get_search_results(request, queryset, search_term)
        newest = VentaFallida.objects.order_by("-registrada", "-id")
        tiendas = [pk for pk, _nombre in visible_tiendas(request, self.view_rol)]
        return queryset.filter(short_codes.with_ending(rows=newest, tiendas=tiendas, ending=ending)), False

    @admin.display(description=_("código"))
    def codigo(self, failed: VentaFallida) -> str:
        """As its receipt has it."""
        return short_codes.readable_code(venta_id=failed.venta_id)

    @admin.display(description=_("total"))
    def total(self, failed: VentaFallida) -> str:
        """What the customer paid."""
        return str((failed.mensaje or {}).get("total", "—"))

    @admin.display(description=_("error"))
    def breve(self, failed: VentaFallida) -> str:
        """Its beginning."""
        return failed.error[:80]

    @admin.display(description=_("vendida"))
    def vendida(self, failed: VentaFallida) -> str:
        """When, how it was paid, by whom, at which terminal."""
        sale = _described(failed)
        if sale is None:
            return "—"
        return " · ".join((localize(sale.fecha), sale.metodo_pago, sale.cajero, sale.terminal))

    @admin.display(description=_("líneas"))
    def lineas(self, failed: VentaFallida) -> str:
        """Each line, with its product by name."""
        sale = _described(failed)
        shown = [
            (localize(line.cantidad), line.nombre, line.sku, localize(line.precio_unitario), localize(line.importe))
            for line in (sale.lines if sale else ())
        ]
        return format_html_join("", "<div>{} × {} ({}) · {} = {}</div>", shown) or "—"

    @admin.display(description=_("reserva en Redis"))
    def reserva(self, failed: VentaFallida) -> str:
        """Whether its stock is still held."""
        if not hasattr(failed, HELD_ATTRIBUTE):
            look_for_holds([failed])
        held: bool | None = getattr(failed, HELD_ATTRIBUTE)
        if held is None:
            return str(_("Redis no responde"))
        return str(_("Sí") if held else _("No"))

    # --- deciding

    def has_reintentar_permission(self, request: HttpRequest) -> bool:
        """Whether one may try a failed sale again somewhere."""
        return self._may(request, NEEDED[RETRY], None)

    def has_descartar_permission(self, request: HttpRequest) -> bool:
        """Whether one may discard a failed sale somewhere."""
        return self._may(request, NEEDED[DISCARD], None)

    @admin.action(description=_("Reintentar"), permissions=[RETRY])
    def reintentar(self, request: HttpRequest, queryset: QuerySet[VentaFallida]) -> HttpResponse:
        """Ask first."""
        return _ask(RETRY, queryset)

    @admin.action(description=_("Descartar"), permissions=[DISCARD])
    def descartar(self, request: HttpRequest, queryset: QuerySet[VentaFallida]) -> HttpResponse:
        """Ask first."""
        return _ask(DISCARD, queryset)

    def get_urls(self) -> list[URLPattern]:
        """The pages that ask, before Django's own."""
        view = self.admin_site.admin_view(self.decide)
        return [path("<str:accion>/confirmar/", view, name="ventas_ventafallida_confirmar"), *super().get_urls()]

    def decide(self, request: HttpRequest, accion: str) -> HttpResponse:
        """Show what is going to happen; on POST do it, say what became of each, and record who did it, and why.

        Retrying is an encargado's. Discarding is a supervisor's: an administrador's.
        """
        ids = [number for number in map(read_number, request.GET.getlist("id")[:MOST_AT_ONCE]) if number is not None]
        chosen = list(self.get_queryset(request).filter(pk__in=ids).select_related("tienda").order_by("pk"))
        if accion not in NEEDED or not chosen:
            raise Http404
        if not all(self._may(request, NEEDED[accion], failed) for failed in chosen):
            raise PermissionDenied
        if accion == RETRY:
            chosen = self._retriable(request, chosen)
            if not chosen:
                return HttpResponseRedirect(reverse(FAILED_LIST))
        form = (DiscardForm if accion == DISCARD else RetryForm)(request.POST if request.method == "POST" else None)
        if form.is_valid():
            self._decide_all(request, accion, chosen, form.cleaned_data)
            return HttpResponseRedirect(reverse(FAILED_LIST))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Descartar ventas fallidas") if accion == DISCARD else _("Reintentar ventas fallidas"),
            "opts": self.opts,
            "descartar": accion == DISCARD,
            "ventas": [(failed, self.total(failed), self.reserva(failed)) for failed in look_for_holds(chosen)],
            "form": form,
        }
        return TemplateResponse(request, "admin/ventas/ventafallida/confirmar.html", context)

    def _retriable(self, request: HttpRequest, chosen: Sequence[VentaFallida]) -> list[VentaFallida]:
        """Those of them that are sales; what cannot be read is left out, and that is said."""
        found = [failed for failed in chosen if failed.estado not in OPEN or failed_sales.can_retry(failed)]
        if left := len(chosen) - len(found):
            said = _("Lo que no se puede leer como una venta queda fuera (%(n)d): solo se puede descartar.")
            self.message_user(request, said % {"n": left}, messages.WARNING)
        return found

    def _decide_all(
        self, request: HttpRequest, accion: str, chosen: Sequence[VentaFallida], why: dict[str, str]
    ) -> None:
        """Each on its own: one that is refused stops no other, but a server that is away stops them all."""
        for number, failed in enumerate(chosen):
            left = len(chosen) - number - 1
            try:
                if accion == RETRY:
                    self._retry(request, failed, why)
                    self._say(request, failed, _("en cola otra vez."), messages.SUCCESS)
                else:
                    self._discard(request, failed, why)
                    self._say(request, failed, _("descartada."), messages.SUCCESS)
            except failed_sales.CannotPublish as refusal:
                self._say(request, failed, refusal, messages.ERROR, left=left)
                return
            except StockError:
                self._say(request, failed, _("Redis no responde"), messages.ERROR, left=left)
                return
            except failed_sales.FailedSaleError as refusal:
                self._say(request, failed, refusal, messages.ERROR)

    def _retry(self, request: HttpRequest, failed: VentaFallida, why: dict[str, str]) -> None:
        note = partial(self.record_act, request, failed, Accion.REINTENTAR, razon=why["nota"])
        note()  # before: a hold and a message belong to no transaction
        try:
            failed_sales.retry(failed_id=failed.pk, now=datetime.now(UTC))
        except (failed_sales.FailedSaleError, StockError) as refusal:
            note(detalle={"rechazado": str(refusal)})
            raise
        self.log_plainly(request, failed, f"reintentada: {why['nota']}" if why["nota"] else "reintentada")

    def _discard(self, request: HttpRequest, failed: VentaFallida, why: dict[str, str]) -> None:
        with transaction.atomic():
            failed_sales.discard(
                failed_id=failed.pk,
                usuario_id=request.user.pk or 0,
                nota=why["nota"],
                goods_came_back=why["mercancia"] == DiscardForm.CAME_BACK,
                now=datetime.now(UTC),
            )
            told = {"mercancia": why["mercancia"]}
            self.record_act(request, failed, Accion.DESCARTAR, razon=why["nota"], detalle=told)
            self.log_plainly(request, failed, f"descartada ({why['mercancia']}): {why['nota']}")

    def _say(self, request: HttpRequest, failed: VentaFallida, text: object, level: int, *, left: int = 0) -> None:
        said = _("Venta %(venta)s: %(texto)s") % {"venta": failed.venta_id or failed.pk, "texto": text}
        self.message_user(request, said, level)
        if left:
            self.message_user(request, _("%(n)d más, sin tocar: repítelo luego.") % {"n": left}, messages.WARNING)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's, with the two ways out of an open one."""
        failed = self.get_object(request, object_id)
        ways = [
            (_confirm_url(accion, [failed.pk]), text)
            for accion, text in ((RETRY, _("Reintentar")), (DISCARD, _("Descartar")))
            if failed is not None
            and (failed_sales.can_retry(failed) if accion == RETRY else failed.estado in OPEN)
            and self._may(request, NEEDED[accion], failed)
        ]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "ways": ways})


def _described(failed: VentaFallida) -> selectors.FailedSale | None:
    """Read once a page."""
    if not hasattr(failed, SALE_ATTRIBUTE):
        setattr(failed, SALE_ATTRIBUTE, selectors.describe_failed(failed=failed))
    sale: selectors.FailedSale | None = getattr(failed, SALE_ATTRIBUTE)
    return sale


def _confirm_url(accion: str, ids: Sequence[int]) -> str:
    query = urlencode([("id", number) for number in ids])
    return f"{reverse('admin:ventas_ventafallida_confirmar', args=[accion])}?{query}"


def _ask(accion: str, queryset: QuerySet[VentaFallida]) -> HttpResponse:
    return HttpResponseRedirect(_confirm_url(accion, list(queryset.values_list("pk", flat=True)[:MOST_AT_ONCE])))
