"""The state behind the counts, read when Prometheus asks: what waits in Redis, in the queues, and for a person.

Each part is asked by itself; what does not answer leaves its figures out and says so in part_up. One that stands still
keeps one thread of the web server, not one a question. Every web process tells the same, some seconds old.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from math import inf
from uuid import UUID

from django.db import DatabaseError, InterfaceError, connection
from django.db.models import Max
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from blend_pos.tiendas import access_cache
from blend_pos.tiendas.models import SONDA_ID, Tienda
from cache_stock.scripts import StockError
from cache_stock.vitals import read_servers, read_vitals
from ventas import broker
from ventas.models import EstadoFalla, VentaFallida

logger = logging.getLogger(__name__)

KEPT_S = 5.0
PATIENCE_S = 1.0
OLD_S = 30.0
DRIFT = "Differences between Redis, its journal, PostgreSQL and the ledger that the last reconciliation found."
AWAY = (StockError, access_cache.AccessUnavailable, broker.BrokerAway, DatabaseError, InterfaceError)


class StateCollector(Collector):
    """What GET /metrics shows besides what processes count. Read anew after KEPT_S, by one thread at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._read_at = -KEPT_S
        self._kept: list[Metric] = []
        self._tiendas: list[UUID] | None = None  # which are active, as PostgreSQL said last; None: it has not yet

    def describe(self) -> Iterable[Metric]:
        """Nothing beforehand: registering it must not ask any server."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Every figure of the state; none where another thread has been waiting for a frozen part for so long that
        what is kept is old."""
        if self._lock.acquire(timeout=PATIENCE_S):
            try:
                if time.monotonic() - self._read_at >= KEPT_S:
                    self._kept = list(self._read_all())
                    self._read_at = time.monotonic()
                return self._kept
            finally:
                self._lock.release()
        return self._kept if time.monotonic() - self._read_at < OLD_S else []

    def _read_all(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("part_up", "Whether this part answers the web server: 1 or 0.", labels=["part"])
        readers: dict[str, Callable[[], list[Metric]]] = {
            "postgresql": self._of_postgresql,
            "redis": self._of_redis,
            "cache": _of_cache,
            "rabbitmq": _of_rabbitmq,
        }
        for part, read in readers.items():
            try:
                yield from read()
                up.add_metric([part], 1)
            except AWAY as error:
                logger.warning("no figures of %s: %s", part, error)
                connection.close_if_unusable_or_obsolete()
                up.add_metric([part], 0)
        yield up

    def _of_postgresql(self) -> list[Metric]:
        self._tiendas = list(Tienda.objects.filter(is_active=True).values_list("id", flat=True))
        failed = VentaFallida.objects.filter(estado=EstadoFalla.ABIERTA).exclude(tienda=SONDA_ID).count()
        sent_at = beat_sent_at()
        age_s = inf if sent_at is None else max(0.0, (timezone.now() - sent_at).total_seconds())
        return [
            GaugeMetricFamily("sales_failed_open", "Failed sales that wait for a person.", value=failed),
            GaugeMetricFamily("beat_age_seconds", "Since beat last wrote down what it had sent.", value=age_s),
        ]

    def _of_redis(self) -> list[Metric]:
        """Nothing of tiendas as long as they are not known: no zeros beside what another web process tells."""
        servers = _of_servers()
        if self._tiendas is None:
            return servers
        seen = read_vitals(tiendas=self._tiendas, now_ms=int(time.time() * 1000))
        drift = GaugeMetricFamily("stock_drift_products", DRIFT, labels=["tienda"])
        for tienda, differences in seen.drift.items():
            drift.add_metric([str(tienda)], differences)
        return [
            *servers,
            GaugeMetricFamily("stock_holds", "Sales that were taken and are not written yet.", value=seen.holds),
            GaugeMetricFamily("stock_oldest_hold_seconds", "The oldest of them.", value=seen.oldest_hold_s),
            GaugeMetricFamily("stock_warmup_age_seconds", "The warmup that is longest ago.", value=seen.warmup_age_s),
            GaugeMetricFamily("stock_tiendas_not_armed", "Tiendas Redis does not sell for.", value=seen.not_armed),
            drift,
        ]


def beat_sent_at() -> datetime | None:
    """When beat last sent something, as it wrote down, which it does every three minutes; None: never."""
    sent: datetime | None = PeriodicTask.objects.filter(enabled=True).aggregate(sent=Max("last_run_at"))["sent"]
    return sent


def _of_servers() -> list[Metric]:
    seen = read_servers()
    return [
        GaugeMetricFamily("stock_redis_memory_ratio", "Used of maxmemory, of the fullest.", value=seen.memory_ratio),
        GaugeMetricFamily("stock_redis_without_aof", "Servers that write no AOF.", value=seen.without_aof),
        GaugeMetricFamily("stock_redis_evicting", "Servers that throw keys away when full.", value=seen.evicting),
    ]


def _of_cache() -> list[Metric]:
    """No figures: who asks is kept there, and where it is away nobody is known."""
    access_cache.ping()
    return []


def _of_rabbitmq() -> list[Metric]:
    messages = GaugeMetricFamily("sales_queue_messages", "Messages that wait in the queue.", labels=["queue"])
    consumers = GaugeMetricFamily("sales_queue_consumers", "Workers that take from the queue.", labels=["queue"])
    for queue, depth in broker.depths().items():
        messages.add_metric([queue], depth.messages)
        consumers.add_metric([queue], depth.consumers)
    return [messages, consumers]
