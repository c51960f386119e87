"""The clocks of the three machines: a sale is dated by one, its hold by another, and its access ends by a third."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from redis import Redis

from cache_stock.scripts import each_server, guarded
from ventas.golive.findings import Check, Finding, Part, failed, passed, worst

MOST_APART_S = 1.0
REMEDY = gettext_lazy("¿Contesta ese servidor? Las líneas de PostgreSQL y de Redis dicen más.")


@dataclass(frozen=True, slots=True)
class Reading:
    """What another clock said, between two looks at ours; seconds since 1970."""

    before_s: float
    theirs_s: float
    after_s: float

    @property
    def apart_s(self) -> float:
        """By how much it is certainly ahead of ours (behind: below 0), however long the answer took."""
        if self.theirs_s > self.after_s:
            return self.theirs_s - self.after_s
        return min(0.0, self.theirs_s - self.before_s)


def parts() -> tuple[Part, ...]:
    """One for each server, so that one that is away does not hide the other's."""
    return (
        Part(
            gettext_lazy("Relojes"),
            (Check("clock.redis", gettext_lazy("El de Redis y este"), lambda _asked: _redis()),),
            REMEDY,
        ),
        Part(
            gettext_lazy("Relojes"),
            (Check("clock.postgresql", gettext_lazy("El de PostgreSQL y este"), lambda _asked: judge(read(_sql_s))),),
            REMEDY,
        ),
    )


def read(theirs: Callable[[], float]) -> Reading:
    """Ask another clock."""
    before = time.time()
    said = theirs()
    return Reading(before, said, time.time())


def judge(reading: Reading) -> Finding:
    """Whether the two can work together."""
    apart = reading.apart_s
    if abs(apart) <= MOST_APART_S:
        return passed(_("a menos de %(s).1f s") % {"s": MOST_APART_S})
    seen = _("adelantado %(s).1f s") if apart > 0 else _("atrasado %(s).1f s")
    return failed(
        seen % {"s": abs(apart)},
        _("Pon en hora las dos máquinas y déjalas así: timedatectl set-ntp true. timedatectl dice cuál no lo está."),
    )


def _redis() -> Finding:
    return worst({server: judge(read(partial(_redis_s, redis))) for server, redis in each_server().items()})


def _redis_s(redis: "Redis") -> float:
    seconds, microseconds = guarded(redis.time)
    return int(seconds) + int(microseconds) / 1_000_000


def _sql_s() -> float:
    connection.ensure_connection()  # so that connecting does not count as the clock's answer
    with connection.cursor() as cursor:
        cursor.execute("SELECT extract(epoch FROM clock_timestamp())")
        ((seconds,),) = cursor.fetchall()
    return float(seconds)
