"""The stock of all tiendas at a glance: what waits, how old it is, how warm Redis is."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from redis.client import Pipeline

from cache_stock import figures, keys, scripts

TIENDAS_A_CALL = 200
HOLDS_LOOKED_AT = 1_000


@dataclass(slots=True)
class Vitals:
    """Holds of sales that are not written yet, those of failed sales left out; their oldest's age in seconds, 0
    without any; tiendas that Redis does not sell for, or never did; the age in seconds of the warmup that is longest
    ago, infinite where it sells for a tienda that was never warmed whole; and the differences that the last
    reconciliation of each tienda found, where there was one.
    """

    holds: int = 0
    oldest_hold_s: float = 0.0
    not_armed: int = 0
    warmup_age_s: float = 0.0
    drift: dict[UUID, int] = field(default_factory=dict)


@dataclass(slots=True)
class Servers:
    """How full the fullest server is, from 0 to 1, 0 where none has a limit; how many would lose at a restart what they
    hold, their append-only file being off or not written; and how many throw keys away once they are full."""

    memory_ratio: float = 0.0
    without_aof: int = 0
    evicting: int = 0


def read_servers() -> Servers:
    """Of those that answer. Raises a StockError where none does."""
    servers, answered = Servers(), False
    failed: scripts.StockError = scripts.StockRefused("no server of the stock is known")
    for redis in scripts.each_server().values():
        pipe = redis.pipeline(transaction=False)
        pipe.info("memory")
        pipe.info("persistence")
        try:
            memory, persistence = scripts.guarded(pipe.execute)
        except scripts.StockError as error:
            failed = error
            continue
        answered = True
        if memory["maxmemory"]:
            servers.memory_ratio = max(servers.memory_ratio, memory["used_memory"] / memory["maxmemory"])
        servers.without_aof += not persistence["aof_enabled"] or persistence["aof_last_write_status"] != "ok"
        servers.evicting += memory["maxmemory_policy"] != "noeviction"
    if not answered:
        raise failed
    return servers


def read_vitals(*, tiendas: Sequence[UUID], now_ms: int) -> Vitals:
    """Of these tiendas, some hundred a round trip. Raises a StockError.

    Of more than HOLDS_LOOKED_AT holds those are looked at that the sweep comes to first: the oldest may be older.
    """
    vitals = Vitals()
    if not tiendas:
        scripts.guarded(scripts.stock_client().ping)
    waiting: list[str] = []
    for start in range(0, len(tiendas), TIENDAS_A_CALL):
        waiting += _add(vitals, tiendas[start : start + TIENDAS_A_CALL], now_ms=now_ms)
    vitals.oldest_hold_s = _oldest_s(waiting[:HOLDS_LOOKED_AT], now_ms=now_ms)
    return vitals


def _add(vitals: Vitals, tiendas: Sequence[UUID], *, now_ms: int) -> list[str]:
    """Count these tiendas in; those of a server that does not answer are sold for by none. Returns the keys of holds
    that wait."""
    check = scripts.check_text()

    def put(pipe: Pipeline, tienda: UUID) -> None:
        pipe.eval(check, 1, keys.meta(tienda))
        pipe.zcount(keys.journal(tienda), "-inf", "(+inf")
        pipe.zrangebyscore(keys.journal(tienda), "-inf", "(+inf", start=0, num=HOLDS_LOOKED_AT)
        pipe.hmget(keys.meta(tienda), [figures.WARMED, figures.DRIFT])

    found = scripts.ask_each(tiendas, put)
    vitals.not_armed += len(tiendas) - len(found)
    waiting: list[str] = []
    for tienda, ((epoch, *_stock), holds, ventas, (warmed, drift)) in found.items():
        vitals.not_armed += epoch == ""
        vitals.holds += holds
        if warmed or epoch != "":
            age_s = (now_ms - int(warmed)) / 1000 if warmed else math.inf
            vitals.warmup_age_s = max(vitals.warmup_age_s, age_s)
        if drift is not None:
            vitals.drift[tienda] = int(drift)
        waiting += [keys.hold_prefix(tienda) + venta for venta in ventas]
    return waiting


def _oldest_s(holds: Sequence[str], *, now_ms: int) -> float:
    """The age of the oldest of these holds; one that is settled meanwhile has none."""
    pipe = scripts.stock_client().pipeline(transaction=False)
    for hold in holds:
        pipe.hget(hold, "creada")
    made = [int(creada) for creada in (scripts.guarded(pipe.execute) if holds else []) if creada]
    return max(0.0, (now_ms - min(made)) / 1000) if made else 0.0
