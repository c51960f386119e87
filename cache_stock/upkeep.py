"""Warmth never ages out: which tiendas are due, and what missed its way to Redis."""

import logging
from datetime import UTC, datetime, time, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from blend_pos.tiendas.models import Tienda
from cache_stock import carrying, figures
from cache_stock.scripts import StockError
from inventario.selectors import OVERLAP

logger = logging.getLogger(__name__)


def find_due(*, now: datetime, hora: time, oldest: timedelta) -> list[UUID]:
    """The active tiendas that were not warmed since their own clock last showed `hora`, or are warm for longer than
    `oldest`. Raises a StockError."""
    zones = dict(Tienda.objects.filter(is_active=True).values_list("id", "zona_horaria"))
    warmed = figures.warmed_at(tiendas=list(zones))
    return [
        tienda
        for tienda, at in warmed.items()
        if _is_due(at, now=now, since=last_time(now=now, hora=hora, zone=ZoneInfo(zones[tienda])), oldest=oldest)
    ]


def last_time(*, now: datetime, hora: time, zone: ZoneInfo) -> datetime:
    """When the clock of `zone` last showed `hora`. An hour that a clock change leaves out counts as it is reached."""
    local = now.astimezone(zone)
    today = datetime.combine(local.date(), hora, tzinfo=zone)
    if today.astimezone(UTC) <= now:
        return today
    return datetime.combine(local.date() - timedelta(days=1), hora, tzinfo=zone)


def _is_due(warmed_at: datetime | None, *, now: datetime, since: datetime, oldest: timedelta) -> bool:
    return warmed_at is None or warmed_at.astimezone(UTC) < since.astimezone(UTC) or now - warmed_at > oldest


def carry_what_changed(*, now_ms: int) -> int:
    """Carry again what changed otherwise than by a sale since each tienda's last warmup; how many products.

    It has reached Redis on commit; not where Redis did not answer at that moment. Raises a StockError.
    """
    tiendas = list(Tienda.objects.filter(is_active=True, epoch__gt=0).values_list("id", flat=True))
    carried = 0
    for tienda_id, since in figures.warmed_at(tiendas=tiendas).items():
        if since is None:
            continue
        try:
            found = carrying.carry_tienda(tienda_id=tienda_id, now_ms=now_ms, changed_since=since - OVERLAP)
            carried += found.products
        except (carrying.ColdStartNeeded, StockError) as error:
            logger.warning("tienda %s: what changed waits: %s", tienda_id, error)
    return carried
