"""The Celery application: `celery -A celery_app worker` and `celery -A celery_app beat`.

Sales come on a queue of their own; warmup, sweep, cold start and the archiver on another, so that a long one delays no
sale.
"""

import os
from typing import Any

from celery import Celery, Task
from django.db import close_old_connections
from kombu.utils.imports import symbol_by_name

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")


class ConnectedTask(Task):  # type: ignore[type-arg] # it takes no type parameter at run time
    """A task that finds its process' connection to PostgreSQL open, or dead and then replaced."""

    def before_start(self, task_id: str, args: Any, kwargs: Any) -> None:
        """Drop a connection that is dead or too old, as Django does at a request's start."""
        close_old_connections()


app = Celery("blend_pos", task_cls=ConnectedTask, amqp="ventas.signed_calls:SigningAMQP")
app.config_from_object("django.conf:settings", namespace="CELERY")
# Celery would close the connection around each task: one login to PostgreSQL a message.
app.conf["CELERY_DB_REUSE_MAX"] = 1_000_000
app.conf.task_queues = symbol_by_name("ventas.topology:CELERY_QUEUES")  # by name: it reads the settings named above
app.autodiscover_tasks()
