"""Tienda, the people who belong to it, its terminals and their tokens."""

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
