"""Beat clears what has ended once a day; the row is the manager's from then on, as those of cache_stock's schedule."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TASK = "tiendas.clear_expired"
EXPIRE_SECONDS = 3600


def create_schedule(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    intervals = apps.get_model("django_celery_beat", "IntervalSchedule").objects
    tasks = apps.get_model("django_celery_beat", "PeriodicTask").objects
    if tasks.filter(task=TASK).exists():
        return
    interval = intervals.filter(every=1, period="days").first() or intervals.create(every=1, period="days")
    tasks.create(task=TASK, name="Borrar lo vencido", interval=interval, expire_seconds=EXPIRE_SECONDS, enabled=True)


class Migration(migrations.Migration):
    dependencies = [
        ("tiendas", "0002_tills"),
        ("django_celery_beat", "0019_alter_periodictasks_options"),
    ]

    operations = [migrations.RunPython(create_schedule, migrations.RunPython.noop)]
