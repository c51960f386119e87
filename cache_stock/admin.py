"""Products in the admin. What is saved reaches Redis on commit, so that it sells at once, without a warmup."""

import time
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID, uuid4

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.views.main import ChangeList
from django.core.validators import MaxLengthValidator, MinValueValidator
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.formats import localize
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.admin_confirm import ConfirmedForm
from blend_pos.tiendas.admin_lists import TiendaFilter
from blend_pos.tiendas.admin_roles import TiendaScopedAdmin
from blend_pos.tiendas.models import Accion
from cache_stock import figures, intake, warmup
from cache_stock.operations import MOTIVO_LENGTH, IntakeError, Operation, as_decimal
from cache_stock.scripts import StockError
from inventario.catalogo import NewProduct, ProductChange, change_product, create_products
from inventario.models import Producto, TipoMovimiento

CHANGEABLE = ("sku", "codigo_barras", "nombre", "unidad", "precio", "impuesto", "is_active")
DISPONIBLE_ATTRIBUTE = "blend_disponible_milli"

if TYPE_CHECKING:
    _ProductForm = forms.ModelForm[Producto]
else:  # it takes no type parameter at run time
    _ProductForm = forms.ModelForm


class ProductForm(ConfirmedForm, _ProductForm):
    """A product; its first stock only where it is new. What changes money is asked about."""

    asks_about = ("precio", "impuesto", "is_active")

    stock_inicial = forms.DecimalField(
        label=_("stock inicial"), max_digits=14, decimal_places=3, min_value=Decimal(0), initial=Decimal(0)
    )

    class Meta:
        model = Producto
        fields = ("tienda", *CHANGEABLE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            return
        del self.fields["stock_inicial"]
        # What the page showed is sent along with it, so that what counts as changed is what this person changed.
        shown = not self.data or any(self.add_initial_prefix(name) in self.data for name in CHANGEABLE)
        for name in CHANGEABLE:
            if name in self.fields:
                self.fields[name].show_hidden_initial = shown

    def clean(self) -> dict[str, Any]:
        """Say it of a SKU or a barcode that is taken; with a tienda that cannot be edited Django does not look."""
        values = super().clean() or {}
        adding = self.instance._state.adding
        tienda = values.get("tienda") if adding else self.instance.tienda
        for name in ("sku", "codigo_barras"):
            if tienda and values.get(name):
                others = Producto.objects.filter(tienda=tienda, **{name: values[name]}).exclude(pk=self.instance.pk)
                if others.exists():
                    self.add_error(name, _("Otro producto de la tienda ya lo tiene."))
        return values


class StockForm(ConfirmedForm, forms.Form):
    """Stock that comes in or goes out by hand, once it is confirmed."""

    IN, OUT = "entra", "sale"
    MOVIMIENTOS: ClassVar = [
        (f"{IN}:{TipoMovimiento.COMPRA}", _("Entrada: compra")),
        (f"{IN}:{TipoMovimiento.DEVOLUCION}", _("Entrada: devolución de un cliente")),
        (f"{IN}:{TipoMovimiento.AJUSTE}", _("Ajuste: hay más")),
        (f"{OUT}:{TipoMovimiento.AJUSTE}", _("Ajuste: hay menos (merma, robo, conteo)")),
        (f"{OUT}:{TipoMovimiento.DEVOLUCION}", _("Salida: devolución al proveedor")),
    ]
    movimiento = forms.ChoiceField(label=_("movimiento"), choices=MOVIMIENTOS)
    cantidad = forms.DecimalField(
        label=_("cantidad"), max_digits=14, decimal_places=3, validators=[MinValueValidator(Decimal("0.001"))]
    )
    motivo = forms.CharField(
        label=_("motivo"),
        required=False,
        validators=[MaxLengthValidator(MOTIVO_LENGTH)],
        help_text=_("Obligatorio en un ajuste; en una compra, la factura."),
    )
    # Made with the form: the same form sent twice moves stock once.
    operacion = forms.UUIDField(widget=forms.HiddenInput)

    def to_confirm(self) -> dict[str, list[str | None]]:
        """All of it: what is confirmed is this movement and no other."""
        values = self.cleaned_data
        words = dict(self.MOVIMIENTOS)
        return {str(words[values["movimiento"]]): [None, f"{values['cantidad']:f}"]}

    def _whose(self) -> str:
        return f"{self.cleaned_data['operacion']} {self.cleaned_data['motivo']}"


class ProductChangeList(ChangeList):
    """Adds what is available now to the page's products."""

    def get_results(self, request: HttpRequest) -> None:
        """One round trip to Redis a page."""
        super().get_results(request)
        products: list[Producto] = list(self.result_list)
        try:
            available = figures.available_anywhere(products=[(each.tienda_id, each.pk) for each in products])
        except StockError:
            available = {}
        for product in products:
            setattr(product, DISPONIBLE_ATTRIBUTE, available.get(product.pk))
        self.result_list = products


@admin.register(Producto)
class ProductAdmin(TiendaScopedAdmin[Producto]):
    """Products. One is deactivated, never deleted; its stock moves by movements only."""

    form = ProductForm
    list_display = (
        "nombre",
        "sku",
        "codigo_barras",
        "unidad",
        "precio",
        "impuesto",
        "stock_actual",
        "disponible",
        "is_active",
        "movimiento",
    )
    list_filter = (TiendaFilter, "is_active", "unidad")
    list_select_related = ("tienda",)
    search_fields = ("nombre", "sku", "=codigo_barras")
    search_help_text = _("Nombre, SKU o código de barras.")
    list_per_page = 50
    show_full_result_count = False

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """The list with what is available."""
        return ProductChangeList

    def get_fields(self, request: HttpRequest, obj: Producto | None = None) -> tuple[str, ...]:
        """A new product has a first stock, another one what there is."""
        return ("tienda", *CHANGEABLE, *(("stock_actual", "disponible") if obj else ("stock_inicial",)))

    def get_readonly_fields(self, request: HttpRequest, obj: Producto | None = None) -> tuple[str, ...]:
        """A product stays in its tienda."""
        return ("tienda", "stock_actual", "disponible") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Producto | None = None) -> bool:
        """Nobody."""
        return False

    @admin.display(description=_("disponible"))
    def disponible(self, product: Producto) -> Decimal | None:
        """What can be promised now; None, shown as a dash, where Redis does not know."""
        if not hasattr(product, DISPONIBLE_ATTRIBUTE):
            try:
                found = figures.available_anywhere(products=[(product.tienda_id, product.pk)])
            except StockError:
                found = {}
            setattr(product, DISPONIBLE_ATTRIBUTE, found.get(product.pk))
        milli: int | None = getattr(product, DISPONIBLE_ATTRIBUTE)
        return None if milli is None else as_decimal(milli)

    @admin.display(description=_("stock"))
    def movimiento(self, product: Producto) -> str:
        """The way to the form that moves stock."""
        return format_html('<a href="{}">{}</a>', _movement_url(product.pk), _("Entrada o ajuste"))

    def save_model(self, request: HttpRequest, obj: Producto, form: Any, change: bool) -> None:
        """Write only what the form changed, so that two people at once lose nothing; then tell Redis."""
        if change:
            changed = {name: getattr(obj, name) for name in CHANGEABLE if name in form.changed_data}
            change_product(producto_id=obj.pk, change=ProductChange(**changed))
        else:
            new = NewProduct(
                id=obj.pk,
                stock_inicial=form.cleaned_data["stock_inicial"],
                **{name: getattr(obj, name) for name in CHANGEABLE},
            )
            create_products(
                tienda_id=obj.tienda_id, products=[new], fecha=datetime.now(UTC), usuario_id=request.user.pk
            )
        transaction.on_commit(partial(self._carry, request, obj.pk), robust=True)

    def _carry(self, request: HttpRequest, producto_id: UUID) -> None:
        """Redis away loses nothing: what changed is carried with the next warmup."""
        try:
            warmup.warm_products(productos=[producto_id], now_ms=int(time.time() * 1000))
        except (StockError, warmup.ColdStartNeeded):
            text = _("Guardado. Redis no responde: las cajas lo verán en cuanto vuelva.")
            self.message_user(request, text, messages.WARNING)

    # --- moving stock by hand

    def get_urls(self) -> list[URLPattern]:
        """The form that moves stock, before Django's own."""
        view = self.admin_site.admin_view(self.move_stock)
        return [
            path("<uuid:producto_id>/movimiento/", view, name="inventario_producto_movimiento"),
            *super().get_urls(),
        ]

    def move_stock(self, request: HttpRequest, producto_id: UUID) -> HttpResponse:
        """Receive or lower the stock of one product. Whoever sees it may: an encargado and above."""
        product = self.get_queryset(request).select_related("tienda").filter(pk=producto_id).first()
        if product is None:
            raise Http404
        form = StockForm(request.POST or None, initial={"operacion": uuid4()})
        if form.is_valid() and self._move(request, product, form):
            return HttpResponseRedirect(_movement_url(product.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Entrada o ajuste de stock"),
            "opts": self.opts,
            "original": product,
            "disponible": self.disponible(product),
            "form": form,
        }
        return TemplateResponse(request, "admin/inventario/producto/movimiento.html", context)

    def _move(self, request: HttpRequest, product: Producto, form: StockForm) -> bool:
        way, tipo = form.cleaned_data["movimiento"].split(":")
        operation = Operation(
            tienda_id=product.tienda_id,
            operacion=form.cleaned_data["operacion"],
            tipo=tipo,
            quantities={product.pk: int(form.cleaned_data["cantidad"] * 1000)},
            motivo=form.cleaned_data["motivo"].strip(),
            usuario_id=request.user.pk,
            fecha=datetime.now(UTC),
        )
        told = {"movimiento": way, "tipo": tipo, "cantidad": f"{form.cleaned_data['cantidad']:f}"}
        told["operacion"] = str(operation.operacion)
        note = partial(self.record_act, request, product, Accion.MOVIMIENTO, razon=operation.motivo)
        try:
            if way == StockForm.IN:
                with transaction.atomic():
                    (balance,) = intake.receive_stock(operation=operation)
                    note(detalle=told)
            else:
                note(detalle=told)  # before: what goes out is held first, outside any transaction
                (balance,) = intake.lower_stock(operation=operation, now_ms=int(time.time() * 1000))
        except IntakeError as refusal:
            if way == StockForm.OUT:
                note(detalle={**told, "rechazado": str(refusal)})
            form.add_error(None, str(refusal))
            return False
        text = _("Hecho: quedan %(saldo)s.") % {"saldo": localize(balance.saldo)}
        self.log_plainly(request, product, f"{tipo} {way} {form.cleaned_data['cantidad']:f}")
        self.message_user(request, text, messages.SUCCESS)
        return True


def _movement_url(producto_id: UUID) -> str:
    return reverse("admin:inventario_producto_movimiento", args=[producto_id])
