"""The stock of every active tienda: promised by a Redis that is armed for it, and carried there not long ago."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from blend_pos.tiendas.models import Tienda
from cache_stock import figures, reservation
from ventas.golive.findings import Asked, Check, Finding, Part, failed, passed

OLDEST = timedelta(hours=24)
MOST_NAMED = 5


def part() -> Part:
    """Its lines."""
    return Part(
        "Stock",
        (
            Check("stock.tiendas", gettext_lazy("Tiendas activas"), tiendas),
            Check("stock.armed", gettext_lazy("Redis armado para cada una"), armed),
            Check("stock.warm", gettext_lazy("Calentadas hace poco"), warm),
        ),
        gettext_lazy("¿Contestan Redis y PostgreSQL? Sus líneas dicen más."),
    )


def tiendas(asked: Asked) -> Finding:
    """There is one to sell in."""
    count = len(_active())
    if count:
        return passed(str(count))
    return failed(_("ninguna"), _("Abre una en /admin/, Tiendas, con su gente, sus terminales y sus productos."))


def armed(asked: Asked) -> Finding:
    """Each of them can sell."""
    names = _active()
    epochs = reservation.armed_epochs(tiendas=list(names))
    lacking = [names[tienda] for tienda, epoch in epochs.items() if epoch is None]
    if lacking:
        return failed(
            _("sin armar: %(cuales)s") % {"cuales": _some(lacking)},
            _("Beat y mantenimiento lo hacen en medio minuto: ¿corren? docs/operations.md, «503 arranque_en_frio»."),
        )
    return passed(_("%(n)d armadas") % {"n": len(names)})


def warm(asked: Asked) -> Finding:
    """Every product of each was carried to Redis within OLDEST."""
    names = _active()
    now = datetime.now(UTC)
    warmed = figures.warmed_at(tiendas=list(names))
    never = [names[tienda] for tienda, moment in warmed.items() if moment is None]
    old = [names[tienda] for tienda, moment in warmed.items() if moment is not None and now - moment > OLDEST]
    if never or old:
        return failed(
            _("sin calentar: %(nunca)s; hace más de %(horas)d h: %(viejas)s")
            % {"nunca": _some(never), "horas": OLDEST // timedelta(hours=1), "viejas": _some(old)},
            _("manage.py warmup_stock --all. Cada mañana lo hace beat: ¿corre?"),
        )
    ages = [now - moment for moment in warmed.values() if moment is not None]
    minutes = max(ages, default=timedelta()) // timedelta(minutes=1)
    return passed(_("la que más, hace %(minutos)d min") % {"minutos": minutes})


def _active() -> dict[UUID, str]:
    return dict(Tienda.objects.filter(is_active=True).values_list("id", "nombre"))


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:MOST_NAMED]) + (" …" if len(names) > MOST_NAMED else "") if names else "—"
