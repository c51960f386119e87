"""Maintenance of the stock in Redis. Each can run at any time, and twice."""

import logging
import time as clock
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

from celery import shared_task

from cache_stock import upkeep, warmup
from cache_stock.scripts import StockError

logger = logging.getLogger(__name__)

HORA = time(6)
EXPIRES_S = 900  # the next round asks again


@shared_task(name="cache_stock.warm_due")
def warm_due(*, hora: str = "06:00", edad_maxima_h: float = 12) -> int:
    """Ask for the warmup of every tienda that is due, and carry what missed its way. Returns how many are due.

    `hora`: each morning at this hour of the tienda's own zone; `edad_maxima_h`: and no later than this after the last.
    """
    try:
        due = upkeep.find_due(now=datetime.now(UTC), hora=_read_hora(hora), oldest=timedelta(hours=edad_maxima_h))
        for tienda_id in due:
            warm_one.apply_async(kwargs={"tienda_id": str(tienda_id)}, expires=EXPIRES_S)
        upkeep.carry_what_changed(now_ms=_now_ms())
    except StockError as error:
        logger.warning("Redis is away, nothing was warmed: %s", error)
        return 0
    return len(due)


@shared_task(name="cache_stock.warm_one")
def warm_one(*, tienda_id: str) -> int:
    """Warm one tienda. Returns how many products that are sold."""
    try:
        report = warmup.warm_tienda(tienda_id=UUID(tienda_id), now_ms=_now_ms())
    except warmup.ColdStartNeeded:
        logger.warning("tienda %s waits for its cold start", tienda_id)
        return 0
    except StockError as error:
        logger.warning("tienda %s was not warmed, Redis is away: %s", tienda_id, error)
        return 0
    logger.info("tienda %s warmed: %d products", tienda_id, report.productos_cacheados)
    return report.productos_cacheados


def _read_hora(text: str) -> time:
    """What a manager wrote in the schedule; six o'clock where it is no time of the day."""
    try:
        return time.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        logger.error("«%s» is no time of the day, 06:00 is used", text)
        return HORA


def _now_ms() -> int:
    return int(clock.time() * 1000)
