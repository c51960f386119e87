"""What has to happen without anybody: beat's schedule, and the copy that is kept elsewhere."""

from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.models import PeriodicTask

from ventas.golive.findings import Asked, Check, Finding, Part, advice, failed, passed
from ventas.monitoring import beat_sent_at

LATELY = timedelta(minutes=10)  # beat writes down every three minutes what it has sent
# How far apart at most. The manager may change how often each runs; beyond this a till feels it, or nobody hears of it.
MOST_APART = {
    "cache_stock.warm_due": timedelta(hours=1),
    "ventas.sweep": timedelta(minutes=1),
    "ventas.cold_start": timedelta(minutes=1),
    "ventas.archive_failed": timedelta(minutes=10),
    "ventas.reconcile": timedelta(days=1),
}
OLDEST_BACKUP = timedelta(hours=26)  # a day, and the time that it takes
MOST_FILES = 10_000
DUMPS, DUMP_BEGINS = "*.dump", b"PGDMP"  # what pg_dump -Fc writes


def part() -> Part:
    """Its lines."""
    return Part(
        gettext_lazy("Cada día"),
        (
            Check("beat.sent", gettext_lazy("Beat ha mandado algo hace poco"), sent),
            Check("beat.schedule", gettext_lazy("El calentamiento diario y lo demás, en el horario"), schedule),
            Check("backup.daily", gettext_lazy("Una copia de hoy, de pg_dump"), backup),
        ),
        gettext_lazy("¿Contesta PostgreSQL? Sus líneas dicen más."),
    )


def sent(asked: Asked) -> Finding:
    """It runs, and can write."""
    moment = beat_sent_at()
    if moment is not None and timezone.now() - moment <= LATELY:
        return passed(_("hace %(s)d s") % {"s": max(0, int((timezone.now() - moment).total_seconds()))})
    seen = _("nunca") if moment is None else _("no desde %(hora)s") % {"hora": moment.isoformat(timespec="seconds")}
    return failed(seen, _("Arranca beat, uno solo: blend-beat. docs/operations.md, «Nadie barre ni calienta»."))


def schedule(asked: Asked) -> Finding:
    """What keeps the stock warm and the sales moving is switched on, and not too seldom."""
    every: dict[str, timedelta] = {}
    for row in PeriodicTask.objects.filter(enabled=True, task__in=MOST_APART).select_related("interval"):
        # A crontab is somebody's choice of hours, and no more often than each minute.
        apart = row.interval.schedule.run_every if row.interval else timedelta(minutes=1)
        every[row.task] = min(apart, every.get(row.task, apart))
    lacking = sorted(MOST_APART.keys() - every.keys())
    if lacking:
        return failed(
            _("faltan o están apagadas: %(cuales)s") % {"cuales": ", ".join(lacking)},
            _("Enciéndelas en /admin/, Tareas periódicas."),
        )
    seldom = [
        _("%(tarea)s cada %(tiene)s, no más de %(debe)s") % {"tarea": task, "tiene": apart, "debe": MOST_APART[task]}
        for task, apart in sorted(every.items())
        if apart > MOST_APART[task]
    ]
    if seldom:
        return failed("; ".join(seldom), _("Acorta el intervalo en /admin/, Tareas periódicas."))
    return passed(_("%(n)d tareas") % {"n": len(MOST_APART)})


def backup(asked: Asked) -> Finding:
    """The newest file where the copies are said to lie is of today."""
    if asked.backups is None:
        return advice(
            _("no se sabe dónde quedan"),
            _("docs/deploy.md, «Backup, restore, rollback», cada día; y di dónde: --backups CARPETA."),
        )
    if not asked.backups.is_dir():
        return failed(
            _("no hay una carpeta %(donde)s") % {"donde": asked.backups},
            _("¿Está montada donde corre esta orden, y se llama así? --backups CARPETA."),
        )
    newest = _newest(asked.backups)
    if newest is None or datetime.now(UTC) - _written(newest) > OLDEST_BACKUP:
        return failed(
            _("en %(donde)s no hay ningún %(cual)s de hoy") % {"donde": asked.backups, "cual": DUMPS},
            _("¿Corre la copia? Su registro lo dice. Cómo se hace: docs/deploy.md, «Backup, restore, rollback»."),
        )
    with newest.open("rb") as file:
        begins = file.read(len(DUMP_BEGINS))
    if begins != DUMP_BEGINS:
        return failed(
            _("%(cual)s no es una copia: %(n)d bytes") % {"cual": newest.name, "n": newest.stat().st_size},
            _("pg_dump -Fc falló: su registro lo dice. Que escriba en otro nombre, y solo si acaba bien, mv al .dump."),
        )
    return passed(_("la última, de %(hora)s") % {"hora": _written(newest).isoformat(timespec="minutes")})


def _newest(folder: Path) -> Path | None:
    """The dump that was written last, of the first MOST_FILES of a folder. Raises OSError."""
    found = (path for path in islice(folder.rglob("*"), MOST_FILES) if path.match(DUMPS) and path.is_file())
    return max(found, key=_written, default=None)


def _written(path: Path) -> datetime:
    return datetime.fromtimestamp(path.stat().st_mtime, UTC)
