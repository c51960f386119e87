"""What beat runs, made once: from then on the rows are the manager's, to change, disable or delete in the admin."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SECONDS, MINUTES = "seconds", "minutes"
# task, name, every, period, kwargs, seconds after which a run that nobody took is dropped
ROWS = [
    ("cache_stock.warm_due", "Calentar el stock", 15, MINUTES, '{"hora": "06:00", "edad_maxima_h": 12}', 900),
    ("ventas.sweep", "Retomar ventas atrasadas", 2, SECONDS, "{}", 10),
    ("ventas.cold_start", "Rearmar Redis tras perder datos", 2, SECONDS, "{}", 10),
    ("ventas.archive_failed", "Archivar ventas fallidas", 10, SECONDS, "{}", 60),
    ("tiendas.review_accesses", "Revisar los accesos guardados", 1, MINUTES, "{}", 60),
]


def create_schedule(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    for task, name, every, period, kwargs, expire_seconds in ROWS:
        if tasks.filter(task=task).exists():
            continue
        interval = intervals.filter(every=every, period=period).first()
        if interval is None:
            interval = intervals.create(every=every, period=period)
        tasks.create(
            task=task, name=name, interval=interval, kwargs=kwargs, expire_seconds=expire_seconds, enabled=True
        )


class Migration(migrations.Migration):
    dependencies = [("django_celery_beat", "0019_alter_periodictasks_options")]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop)]
