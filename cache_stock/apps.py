"""The app of what can still be promised."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class CacheStockConfig(AppConfig):
    """Live stock in Redis: holds, warmup, balances."""

    name = "cache_stock"
    verbose_name = _("Stock en Redis")
