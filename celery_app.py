"""The Celery application: `celery -A celery_app worker` and `celery -A celery_app beat`.

Sales come on a queue of their own; warmup, sweep, cold start and the archiver on another, so that a long one delays
no sale.
"""

import os

from celery import Celery
from kombu.utils.imports import symbol_by_name

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "blend_pos.settings")

app = Celery("blend_pos")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.task_queues = symbol_by_name("ventas.topology:CELERY_QUEUES")  # by name: it reads the settings named above
app.autodiscover_tasks()
