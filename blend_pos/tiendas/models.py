"""Tienda, the people who belong to it, its terminals and their tokens."""

import re
import uuid
from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken


def validate_time_zone(value: str) -> None:
    """Refuse a name that the time zone database does not have."""
    if value not in available_timezones():
        raise ValidationError(
            _("«%(zona)s» no es una zona horaria. Ejemplo: America/Mexico_City."), params={"zona": value}
        )


LOCALE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")
SCALE_PATTERN = re.compile(r"(?=.{13}$)\d+(?:I+W+|W+I+)C")


def validate_locale(value: str) -> None:
    """Refuse what is no language and country."""
    if not LOCALE.fullmatch(value):
        raise ValidationError(_("«%(valor)s» no es un idioma con su país. Ejemplo: es-MX."), params={"valor": value})


def validate_scale_patterns(value: str) -> None:
    """Refuse a pattern that no EAN-13 of a scale has."""
    for pattern in value.split():
        if not SCALE_PATTERN.fullmatch(pattern):
            raise ValidationError(
                _(
                    "«%(patron)s»: hacen falta 13 signos: las cifras fijas, I por cada cifra del artículo, W por cada "
                    "cifra del peso en gramos, y C. Ejemplo: 20IIIIIWWWWWC."
                ),
                params={"patron": pattern},
            )


class Rol(models.TextChoices):
    """What a person or a token may do in one tienda; each role includes the one before it."""

    CAJERO = "cajero", _("Cajero")
    ENCARGADO = "encargado", _("Encargado")
    ADMINISTRADOR = "administrador", _("Administrador")


# The tienda in which `manage.py golive_check` sells: closed, nobody's, and in no list (ventas.golive.probe).
SONDA_ID = uuid.UUID("c0ffee00-50da-4000-8000-000000000000")
SONDA_USUARIO = "golive_check"
ROLE_ORDER: dict[str, int] = {rol: order for order, rol in enumerate(Rol.values)}


class Tienda(models.Model):
    """A shop. Everything else belongs to exactly one."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    nombre = models.CharField(_("nombre"), max_length=120)
    zona_horaria = models.CharField(
        _("zona horaria"), max_length=64, default="America/Mexico_City", validators=[validate_time_zone]
    )
    moneda = models.CharField(_("moneda"), max_length=3, default="MXN")
    configuracion_regional = models.CharField(
        _("configuración regional"),
        max_length=12,
        default="es-MX",
        validators=[validate_locale],
        help_text=_("Cómo escribe la caja los importes y las fechas: es-MX, en-US."),
    )
    encabezado_recibo = models.TextField(
        _("encabezado del recibo"),
        blank=True,
        default="",
        max_length=1000,
        help_text=_("Razón social, RFC, domicilio: lo que la ley pide arriba."),
    )
    pie_recibo = models.TextField(
        _("pie del recibo"), blank=True, default="", max_length=1000, help_text=_("Gracias, cambios y devoluciones.")
    )
    codigos_balanza = models.CharField(
        _("códigos de balanza"),
        max_length=200,
        blank=True,
        default="20IIIIIWWWWWC",
        validators=[validate_scale_patterns],
        help_text=_(
            "Separados por espacios: cifras fijas, I el artículo, W los gramos, C el control. El producto es el de ese "
            "código de barras (cifras fijas y artículo) o el de ese SKU."
        ),
    )
    is_active = models.BooleanField(_("activa"), default=True)
    epoch = models.BigIntegerField(
        default=0,
        editable=False,
        help_text=_("Número del arranque en frío de Redis que vale para esta tienda; 0: nunca armada."),
    )

    class Meta:
        db_table = "tiendas"
        verbose_name = _("tienda")
        verbose_name_plural = _("tiendas")
        ordering: ClassVar = ["nombre", "id"]

    def __str__(self) -> str:
        return self.nombre

    @property
    def zone(self) -> ZoneInfo:
        """The tienda's own time zone."""
        return ZoneInfo(self.zona_horaria)


class Membresia(models.Model):
    """One person's role in one tienda."""

    usuario = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="membresias")
    tienda = models.ForeignKey(Tienda, on_delete=models.PROTECT, related_name="membresias")
    rol = models.CharField(_("rol"), max_length=16, choices=Rol.choices, default=Rol.CAJERO)

    class Meta:
        db_table = "membresias"
        verbose_name = _("membresía")
        verbose_name_plural = _("membresías")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["usuario", "tienda"], name="membresias_usuario_tienda_unica"),
            models.CheckConstraint(condition=models.Q(rol__in=Rol.values), name="membresias_rol_conocido"),
        ]

    def __str__(self) -> str:
        return f"{self.usuario}: {self.get_rol_display()}"


class Terminal(models.Model):  # type: ignore[django-manager-missing] # of TokenTerminal, whose base has no types
    """A till of a tienda. It numbers its own receipts, so that no till waits for another."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tienda = models.ForeignKey(Tienda, on_delete=models.PROTECT, related_name="terminales")
    numero = models.PositiveSmallIntegerField(_("número"))
    nombre = models.CharField(_("nombre"), max_length=60)
    ultimo_recibo = models.BigIntegerField(_("último recibo"), default=0, editable=False)
    is_active = models.BooleanField(_("activa"), default=True)

    class Meta:
        db_table = "terminales"
        verbose_name = _("terminal")
        verbose_name_plural = _("terminales")
        ordering: ClassVar = ["tienda", "numero"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["tienda", "numero"], name="terminales_tienda_numero_unico"),
        ]

    def __str__(self) -> str:
        return self.nombre


class TokenTerminal(AbstractAuthToken):  # type: ignore[misc] # knox has no types
    """A bearer token of one terminal, with one role. Only its digest is stored."""

    terminal = models.ForeignKey(Terminal, on_delete=models.CASCADE, related_name="tokens")
    rol = models.CharField(_("rol"), max_length=16, choices=Rol.choices, default=Rol.CAJERO)

    class Meta:
        db_table = "tokens_terminal"
        verbose_name = _("token de terminal")
        verbose_name_plural = _("tokens de terminal")
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(rol__in=Rol.values), name="tokens_terminal_rol_conocido"),
        ]

    def __str__(self) -> str:
        return f"{self.token_key}…"


class Accion(models.TextChoices):
    """What somebody did."""

    ENTRADA = "ENTRADA", _("Entró")
    ENTRADA_FALLIDA = "ENTRADA_FALLIDA", _("No pudo entrar")
    BLOQUEO = "BLOQUEO", _("Quedó bloqueada por intentos fallidos")
    CLAVE = "CLAVE", _("Cambió una contraseña")
    CREAR = "CREAR", _("Creó")
    CAMBIAR = "CAMBIAR", _("Cambió")
    BORRAR = "BORRAR", _("Borró, quitó o revocó")
    MOVIMIENTO = "MOVIMIENTO", _("Movió stock")
    REINTENTAR = "REINTENTAR", _("Reintentó una venta fallida")
    DESCARTAR = "DESCARTAR", _("Descartó una venta fallida")
    CIERRE = "CIERRE", _("Cerró una venta rechazada")
    CALENTAR = "CALENTAR", _("Calentó el caché")
    VACIAR = "VACIAR", _("Vació el caché")
    REPARAR = "REPARAR", _("Reparó lo que no cuadraba")


class Acto(models.Model):
    """One thing that somebody did. The database refuses to change or remove one.

    The person is kept as they were called then, without a foreign key: who is deleted has still done it.
    """

    fecha = models.DateTimeField(_("fecha"), db_default=Now(), editable=False)
    accion = models.CharField(_("acción"), max_length=16, choices=Accion.choices)
    persona_id = models.BigIntegerField(_("número de la persona"), null=True)
    persona = models.CharField(_("persona"), max_length=150)
    desde = models.CharField(_("desde"), max_length=300, help_text=_("Dirección y página, u orden y máquina."))
    tienda = models.ForeignKey(
        Tienda, verbose_name=_("tienda"), null=True, on_delete=models.PROTECT, related_name="+", db_index=False
    )
    objeto = models.CharField(_("objeto"), max_length=200)
    razon = models.CharField(_("razón"), max_length=500)
    detalle = models.JSONField(_("detalle"), default=dict)

    class Meta:
        db_table = "bitacora"
        verbose_name = _("acto")
        verbose_name_plural = _("bitácora")
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["tienda", "fecha"], name="idx_bitacora_tienda_fecha"),
            models.Index(fields=["persona_id", "fecha"], name="idx_bitacora_persona_fecha"),
            models.Index(fields=["fecha"], name="idx_bitacora_fecha"),
        ]
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(accion__in=Accion.values), name="bitacora_accion_conocida"),
        ]

    def __str__(self) -> str:
        return f"{self.persona}: {self.get_accion_display()} {self.objeto}".rstrip()
