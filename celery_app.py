"""The Celery application: `celery -A celery_app worker` and `celery -A celery_app beat`.

Sales come on a queue of their own; warmup, sweep, cold start and the archiver on another, so that a long one delays no
sale.
"""

import os
from typing import Any

from celery import Celery, Task
from celery.apps.beat import Beat
from celery.beat import Service
from celery.platforms import signals
from celery.signals import worker_init
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import close_old_connections
from kombu.utils.imports import symbol_by_name

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")


class ConnectedTask(Task):  # type: ignore[type-arg] # it takes no type parameter at run time
    """A task that finds its process' connection to PostgreSQL open, or dead and then replaced."""

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Drop a connection that is dead or too old, as Django does at a request's start."""
        close_old_connections()


class EndingBeat(Beat):
    """Celery's writes what ran when within the signal's handler, which waits for ever where the loop was interrupted in
    the middle of a query: the connection is busy. The loop itself writes it at its end.
    """

    def install_sync_handler(self, service: Service) -> None:
        """Leave the loop, wherever it is."""
        signals.update(SIGTERM=_leave, SIGINT=_leave)


def _leave(*_signal: Any) -> None:
    raise SystemExit


@worker_init.connect
def _show_counts(**_named: Any) -> None:
    """Before it has processes: what cannot be as METRICS_LISTEN says ends the worker, and says why."""
    if settings.METRICS_LISTEN:
        try:
            symbol_by_name("blend_pos.metrics:serve_counts")(settings.METRICS_LISTEN)
        except (ImproperlyConfigured, OSError) as error:
            raise SystemExit(f"METRICS_LISTEN={settings.METRICS_LISTEN}: {error}") from error


app = Celery("blend_pos", task_cls=ConnectedTask, amqp="ventas.signed_calls:SigningAMQP")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery would close the connection around each task: one login to PostgreSQL a message.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000
app.conf.task_queues = symbol_by_name("ventas.topology:CELERY_QUEUES")  # by name: it reads the settings named above
app.Beat = app.subclass_with_self(EndingBeat)  # type: ignore[misc] # what Celery makes where nobody has set it
app.autodiscover_tasks()
