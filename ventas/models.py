"""Venta, its lines, and the sales that could not be written."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from blend_pos.tiendas.models import Terminal, Tienda
from inventario.models import Producto


class MetodoPago(models.TextChoices):
    """How the customer paid."""

    EFECTIVO = "EFECTIVO", _("Efectivo")
    TARJETA = "TARJETA", _("Tarjeta")
    TRANSFERENCIA = "TRANSFERENCIA", _("Transferencia")
    MIXTO = "MIXTO", _("Mixto")


class Venta(models.Model):
    """A sale that is written. `venta_id` is the client's Idempotency-Key: unique in its tienda."""

    id = models.BigAutoField(primary_key=True)
    tienda = models.ForeignKey(Tienda, on_delete=models.PROTECT, related_name="ventas", db_index=False)
    venta_id = models.UUIDField(_("venta"))
    huella = models.CharField(_("huella"), max_length=64, help_text=_("SHA-256 de lo que se pidió."))
    fecha = models.DateTimeField(_("fecha"))
    total = models.DecimalField(_("total"), max_digits=14, decimal_places=2)
    metodo_pago = models.CharField(_("método de pago"), max_length=16, choices=MetodoPago.choices)
    cajero = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+", verbose_name=_("cajero"), db_index=False
    )
    terminal = models.ForeignKey(
        Terminal, on_delete=models.PROTECT, related_name="ventas", verbose_name=_("terminal"), db_index=False
    )
    recibo = models.BigIntegerField(_("recibo"))
    epoch = models.BigIntegerField()
    persistida = models.DateTimeField(_("persistida"))

    class Meta:
        db_table = "ventas"
        verbose_name = _("venta")
        verbose_name_plural = _("ventas")
        ordering: ClassVar = ["-fecha", "-id"]
        indexes: ClassVar = [models.Index(fields=["tienda", "-fecha", "-id"], name="idx_ventas_tienda_fecha")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tienda", "venta_id"], name="ventas_tienda_venta_id_unica"),
            models.UniqueConstraint(fields=["terminal", "recibo"], name="ventas_terminal_recibo_unico"),
            models.CheckConstraint(condition=models.Q(total__gte=0), name="ventas_total_no_negativo"),
            models.CheckConstraint(
                condition=models.Q(metodo_pago__in=MetodoPago.values), name="ventas_metodo_pago_conocido"
            ),
        ]

    def __str__(self) -> str:
        return str(self.venta_id)


class DetalleVenta(models.Model):
    """One line of a sale, with price and tax rate frozen as they were sold."""

    id = models.BigAutoField(primary_key=True)
    venta = models.ForeignKey(Venta, on_delete=models.PROTECT, related_name="detalles", db_index=False)
    linea = models.PositiveSmallIntegerField(_("línea"))
    producto = models.ForeignKey(Producto, on_delete=models.PROTECT, related_name="+", db_index=False)
    cantidad = models.DecimalField(_("cantidad"), max_digits=14, decimal_places=3)
    precio_unitario = models.DecimalField(_("precio unitario"), max_digits=14, decimal_places=2)
    impuesto = models.DecimalField(_("impuesto incluido, %"), max_digits=5, decimal_places=2)
    importe = models.DecimalField(_("importe"), max_digits=14, decimal_places=2)

    class Meta:
        db_table = "detalle_ventas"
        verbose_name = _("detalle de venta")
        verbose_name_plural = _("detalles de venta")
        ordering: ClassVar = ["venta", "linea"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venta", "linea"], name="detalle_ventas_venta_linea_unica"),
            models.CheckConstraint(condition=models.Q(cantidad__gt=0), name="detalle_ventas_cantidad_positiva"),
        ]

    def __str__(self) -> str:
        return f"{self.linea}: {self.cantidad}"


class Pago(models.Model):
    """One part of how a sale was paid, where the till said so; they add up to the sale's total."""

    id = models.BigAutoField(primary_key=True)
    venta = models.ForeignKey(Venta, on_delete=models.PROTECT, related_name="pagos", db_index=False)
    orden = models.PositiveSmallIntegerField(_("orden"))
    metodo = models.CharField(_("método"), max_length=16, choices=MetodoPago.choices)
    importe = models.DecimalField(_("importe"), max_digits=14, decimal_places=2)
    recibido = models.DecimalField(
        _("recibido"), max_digits=14, decimal_places=2, null=True, blank=True, help_text=_("Efectivo entregado.")
    )
    referencia = models.CharField(_("referencia"), max_length=64, blank=True, default="")

    class Meta:
        db_table = "pagos"
        verbose_name = _("pago")
        verbose_name_plural = _("pagos")
        ordering: ClassVar = ["venta", "orden"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["venta", "orden"], name="pagos_venta_orden_unica"),
            models.CheckConstraint(condition=models.Q(importe__gt=0), name="pagos_importe_positivo"),
            models.CheckConstraint(
                condition=models.Q(metodo__in=["EFECTIVO", "TARJETA", "TRANSFERENCIA"]), name="pagos_metodo_conocido"
            ),
            models.CheckConstraint(
                condition=models.Q(recibido__isnull=True)
                | models.Q(metodo="EFECTIVO", recibido__gte=models.F("importe")),
                name="pagos_recibido_cubre_importe",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_metodo_display()} {self.importe}"


class MotivoFalla(models.TextChoices):
    """Why a sale could not be written."""

    INTENTOS = "INTENTOS", _("Falló en cada intento")
    EPOCA = "EPOCA", _("De antes de un arranque en frío")
    HUELLA = "HUELLA", _("La misma clave con otro contenido")
    LAPIDA = "LAPIDA", _("La venta ya se había descartado")
    ILEGIBLE = "ILEGIBLE", _("El mensaje no se puede leer")
    RECHAZADA = "RECHAZADA", _("El servidor no la tomó y la caja la cerró")


class EstadoFalla(models.TextChoices):
    """What became of a failed sale."""

    ABIERTA = "ABIERTA", _("Abierta")
    REINTENTADA = "REINTENTADA", _("Reintentada")
    PERSISTIDA = "PERSISTIDA", _("Persistida")
    DESCARTADA = "DESCARTADA", _("Descartada")


class VentaFallida(models.Model):
    """A sale, or a message, that could not be written, kept until a person decides.

    Its hold stays in Redis while it is open and `con_reserva`. DESCARTADA is the tombstone that the worker looks for.
    """

    id = models.BigAutoField(primary_key=True)
    tienda = models.ForeignKey(Tienda, on_delete=models.PROTECT, null=True, blank=True, related_name="ventas_fallidas")
    venta_id = models.UUIDField(_("venta"), null=True, blank=True)
    huella = models.CharField(_("huella"), max_length=64)
    motivo = models.CharField(_("motivo"), max_length=16, choices=MotivoFalla.choices)
    error = models.TextField(_("error"), blank=True, default="")
    mensaje = models.JSONField(_("mensaje"), null=True, blank=True)
    cuerpo = models.TextField(_("cuerpo"), blank=True, default="", help_text=_("Lo que llegó, si no se pudo leer."))
    con_reserva = models.BooleanField(_("con reserva"), default=False)
    registrada = models.DateTimeField(_("registrada"))
    estado = models.CharField(_("estado"), max_length=12, choices=EstadoFalla.choices, default=EstadoFalla.ABIERTA)
    resuelta = models.DateTimeField(_("resuelta"), null=True, blank=True)
    resuelta_por = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    nota = models.CharField(_("nota"), max_length=200, blank=True, default="")

    class Meta:
        db_table = "ventas_fallidas"
        verbose_name = _("venta fallida")
        verbose_name_plural = _("ventas fallidas")
        ordering: ClassVar = ["-registrada", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["tienda", "venta_id", "huella"],
                nulls_distinct=False,
                name="ventas_fallidas_venta_huella_unica",
            ),
            models.CheckConstraint(
                condition=models.Q(estado__in=EstadoFalla.values), name="ventas_fallidas_estado_conocido"
            ),
            models.CheckConstraint(
                condition=models.Q(motivo__in=MotivoFalla.values), name="ventas_fallidas_motivo_conocido"
            ),
            models.CheckConstraint(
                condition=~models.Q(estado="DESCARTADA")
                | (models.Q(resuelta__isnull=False) & models.Q(resuelta_por__isnull=False) & ~models.Q(nota="")),
                name="ventas_fallidas_descarte_con_nota",
            ),
        ]

    def __str__(self) -> str:
        motivo = str(self.get_motivo_display())
        return f"{self.venta_id}: {motivo}" if self.venta_id else motivo
