"""Producto and the append-only ledger that explains its stock."""

import uuid
from decimal import Decimal
from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.models import Tienda


class Unidad(models.TextChoices):
    """How a product is counted."""

    UNIDAD = "UNIDAD", _("Unidad")
    KG = "KG", _("Kilogramo")


class Producto(models.Model):
    """A product of one tienda.

    It is never deleted and never changes tienda. `stock_actual` is written by inventario.ledger alone, with `version`;
    price, tax and activity by inventario.catalogo alone, with `catalogo_version`. `actualizado` is the database's clock
    at the last change other than a sale, read after its transaction had a number: inventario.selectors relies on that.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tienda = models.ForeignKey(Tienda, on_delete=models.PROTECT, related_name="productos", db_index=False)
    sku = models.CharField(_("SKU"), max_length=64)
    codigo_barras = models.CharField(_("código de barras"), max_length=64, blank=True, default="")
    nombre = models.CharField(_("nombre"), max_length=200)
    unidad = models.CharField(_("unidad"), max_length=8, choices=Unidad.choices, default=Unidad.UNIDAD)
    precio = models.DecimalField(
        _("precio"), max_digits=14, decimal_places=2, validators=[MinValueValidator(Decimal(0))]
    )
    impuesto = models.DecimalField(
        _("impuesto incluido, %"),
        max_digits=5,
        decimal_places=2,
        default=Decimal("16.00"),
        validators=[MinValueValidator(Decimal(0)), MaxValueValidator(Decimal(100))],
    )
    stock_actual = models.DecimalField(
        _("stock actual"), max_digits=14, decimal_places=3, default=Decimal(0), editable=False
    )
    is_active = models.BooleanField(_("activo"), default=True)
    version = models.BigIntegerField(default=0, editable=False)
    catalogo_version = models.BigIntegerField(default=1, editable=False)
    actualizado = models.DateTimeField(_("actualizado"), db_default=Now(), editable=False)

    class Meta:
        db_table = "productos"
        verbose_name = _("producto")
        verbose_name_plural = _("productos")
        ordering: ClassVar = ["nombre", "id"]
        indexes: ClassVar = [
            models.Index(
                fields=["tienda", "is_active"],
                condition=models.Q(is_active=True),
                name="idx_productos_tienda_activo",
            ),
            models.Index(fields=["tienda", "id"], name="idx_productos_tienda_id"),
            models.Index(fields=["tienda", "actualizado", "id"], name="idx_productos_tienda_cambios"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tienda", "sku"], name="productos_tienda_sku_unico"),
            models.UniqueConstraint(
                fields=["tienda", "codigo_barras"],
                condition=~models.Q(codigo_barras=""),
                name="productos_tienda_codigo_barras_unico",
            ),
            models.CheckConstraint(condition=models.Q(stock_actual__gte=0), name="productos_stock_no_negativo"),
            models.CheckConstraint(condition=models.Q(precio__gte=0), name="productos_precio_no_negativo"),
            models.CheckConstraint(
                condition=models.Q(impuesto__gte=0, impuesto__lte=100), name="productos_impuesto_porcentaje"
            ),
            models.CheckConstraint(condition=models.Q(unidad__in=Unidad.values), name="productos_unidad_conocida"),
        ]

    def __str__(self) -> str:
        return self.nombre


class TipoMovimiento(models.TextChoices):
    """Why stock moved."""

    INICIAL = "INICIAL", _("Inicial")
    VENTA = "VENTA", _("Venta")
    COMPRA = "COMPRA", _("Compra")
    AJUSTE = "AJUSTE", _("Ajuste")
    DEVOLUCION = "DEVOLUCION", _("Devolución")


class InventoryLedger(models.Model):
    """One movement of one product's stock; append-only, held so by a database trigger.

    For each product: versions without a gap, stock_actual = Σ delta = the last saldo.
    """

    id = models.BigAutoField(primary_key=True)
    producto = models.ForeignKey(Producto, on_delete=models.PROTECT, related_name="movimientos", db_index=False)
    fecha = models.DateTimeField(_("fecha"))
    tipo = models.CharField(_("tipo"), max_length=10, choices=TipoMovimiento.choices)
    delta = models.DecimalField(_("cantidad"), max_digits=14, decimal_places=3)
    saldo = models.DecimalField(_("saldo"), max_digits=14, decimal_places=3)
    version = models.BigIntegerField(_("versión"))
    venta = models.ForeignKey(
        "ventas.Venta", on_delete=models.PROTECT, null=True, blank=True, related_name="movimientos", db_index=False
    )
    linea = models.PositiveSmallIntegerField(_("línea"), null=True, blank=True)
    operacion = models.UUIDField(
        _("operación"), null=True, blank=True, help_text=_("Clave del ajuste o de la compra: una vez y no más.")
    )
    motivo = models.CharField(_("motivo"), max_length=200, blank=True, default="")
    usuario = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )

    class Meta:
        db_table = "inventory_ledger"
        verbose_name = _("movimiento de inventario")
        verbose_name_plural = _("movimientos de inventario")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["producto", "-fecha"], name="idx_ledger_producto_fecha"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["producto", "version"], name="ledger_producto_version_unica"),
            models.UniqueConstraint(
                fields=["venta", "linea", "tipo"],
                condition=models.Q(venta__isnull=False),
                name="ledger_venta_linea_tipo_unica",
            ),
            models.UniqueConstraint(
                fields=["producto", "operacion"],
                condition=models.Q(operacion__isnull=False),
                name="ledger_producto_operacion_unica",
            ),
            models.CheckConstraint(condition=models.Q(saldo__gte=0), name="ledger_saldo_no_negativo"),
            models.CheckConstraint(condition=models.Q(tipo__in=TipoMovimiento.values), name="ledger_tipo_conocido"),
            models.CheckConstraint(
                condition=~models.Q(tipo="VENTA") | models.Q(venta__isnull=False, linea__isnull=False, delta__lt=0),
                name="ledger_venta_con_su_linea",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_tipo_display()} {self.delta}"
