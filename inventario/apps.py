"""The app of products and the inventory ledger."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InventarioConfig(AppConfig):
    """What there is: products, their stock and the ledger that explains it."""

    name = "inventario"
    verbose_name = _("Inventario")
