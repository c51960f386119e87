"""The app of sales."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class VentasConfig(AppConfig):
    """The sale, from checkout to ledger."""

    name = "ventas"
    verbose_name = _("Ventas")
