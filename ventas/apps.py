"""The app of sales."""

from django.apps import AppConfig
from django.utils.module_loading import import_string
from django.utils.translation import gettext_lazy as _

from blend_pos import metrics
from celery_app import app as celery_app
from ventas import deploy_checks


class VentasConfig(AppConfig):
    """The sale, from checkout to ledger."""

    name = "ventas"
    verbose_name = _("Ventas")

    def ready(self) -> None:
        """A task that is called from anywhere goes to this project's broker."""
        celery_app.set_default()
        deploy_checks.register_all()
        metrics.STATE.register(import_string("ventas.monitoring.StateCollector")())  # it reads models: not before now
