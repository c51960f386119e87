"""Beat compares Redis, PostgreSQL and the ledger every hour; from then on the row is the manager's."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TASK, NAME = "ventas.reconcile", "Conciliar Redis, PostgreSQL y el libro"
EVERY, PERIOD = 1, "hours"
EXPIRE_SECONDS = 1800


def create_schedule(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    if tasks.filter(task=TASK).exists():
        return
    interval = intervals.filter(every=EVERY, period=PERIOD).first() or intervals.create(every=EVERY, period=PERIOD)
    tasks.create(task=TASK, name=NAME, interval=interval, kwargs="{}", expire_seconds=EXPIRE_SECONDS, enabled=True)


class Migration(migrations.Migration):
    dependencies = [
        ("ventas", "0002_payments"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop)]
