"""What has to happen without anybody: beat's schedule, and the copy that is kept elsewhere."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_celery_beat.models import PeriodicTask

from ventas.golive.findings import Asked, Check, Finding, Part, advice, failed, passed
from ventas.monitoring import beat_sent_at

LATELY = timedelta(minutes=10)  # beat writes down every three minutes what it has sent
NEEDED = frozenset(
    {"cache_stock.warm_due", "ventas.sweep", "ventas.cold_start", "ventas.archive_failed", "ventas.reconcile"}
)
OLDEST_BACKUP = timedelta(hours=26)  # a day, and the time that it takes
MOST_FILES = 10_000


def part() -> Part:
    """Its lines."""
    return Part(
        gettext_lazy("Cada día"),
        (
            Check("beat.sent", gettext_lazy("Beat ha mandado algo hace poco"), sent),
            Check("beat.schedule", gettext_lazy("El calentamiento diario y lo demás, en el horario"), schedule),
            Check("backup.daily", gettext_lazy("Una copia de hoy: pg_dump, y el AOF de Redis"), backup),
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
    """What keeps the stock warm and the sales moving is switched on."""
    lacking = sorted(NEEDED - set(PeriodicTask.objects.filter(enabled=True).values_list("task", flat=True)))
    if not lacking:
        return passed(_("%(n)d tareas") % {"n": len(NEEDED)})
    return failed(
        _("faltan o están apagadas: %(cuales)s") % {"cuales": ", ".join(lacking)},
        _("Enciéndelas en /admin/, Tareas periódicas."),
    )


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
    if newest is not None and datetime.now(UTC) - newest <= OLDEST_BACKUP:
        return passed(_("la última, de %(hora)s") % {"hora": newest.isoformat(timespec="minutes")})
    return failed(
        _("en %(donde)s no hay ninguna de hoy") % {"donde": asked.backups},
        _("¿Corre la copia? Su registro lo dice. Cómo se hace: docs/deploy.md, «Backup, restore, rollback»."),
    )


def _newest(folder: Path) -> datetime | None:
    """When the newest file of a folder was written, of the first MOST_FILES in it. Raises OSError."""
    newest: float | None = None
    for number, path in enumerate(folder.rglob("*")):
        if number >= MOST_FILES:
            break
        if path.is_file():
            newest = max(newest or 0.0, path.stat().st_mtime)
    return None if newest is None else datetime.fromtimestamp(newest, UTC)
