"""The app of sales."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from celery_app import app as celery_app


class VentasConfig(AppConfig):
    """The sale, from checkout to ledger."""

    name = "ventas"
    verbose_name = _("Ventas")

    def ready(self) -> None:
        """A task that is called from anywhere goes to this project's broker."""
        celery_app.set_default()
