"""Tienda, the people who belong to it, its terminals and their tokens."""

import re
import uuid
from typing import ClassVar
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
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
        return f"{self.usuario_id} {self.rol}"


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
