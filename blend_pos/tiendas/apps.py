"""The app of tiendas, their members and their terminals."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TiendasConfig(AppConfig):
    """Who sells: a tienda, its people and its terminals."""

    name = "blend_pos.tiendas"
    label = "tiendas"
    verbose_name = _("Tiendas")
