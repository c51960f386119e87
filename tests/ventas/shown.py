"""What /metrics shows of the state, and a shop whose figures are its own."""

import re

from prometheus_client import CollectorRegistry, generate_latest

from blend_pos.tiendas.models import Tienda
from tests.pipeline.shop import Shop, open_shop
from ventas.models import EstadoFalla, VentaFallida
from ventas.monitoring import StateCollector

PARTS = {"postgresql", "redis", "cache", "rabbitmq"}
OF_REDIS = {
    "stock_holds",
    "stock_oldest_hold_seconds",
    "stock_warmup_age_seconds",
    "stock_tiendas_not_armed",
}
OF_SERVERS = {"stock_redis_memory_ratio", "stock_redis_without_aof", "stock_redis_evicting"}


def open_alone() -> Shop:
    """A shop that is open; the others of the run are closed."""
    Tienda.objects.update(is_active=False)
    VentaFallida.objects.update(estado=EstadoFalla.PERSISTIDA)
    return open_shop()


def page() -> dict[str, float]:
    """What a web process that has kept nothing shows."""
    registry = CollectorRegistry()
    registry.register(StateCollector())
    lines = generate_latest(registry).decode().splitlines()
    found = (re.fullmatch(r"([^# ]+) (\S+)", line) for line in lines)
    return {match[1]: float(match[2]) for match in found if match}


def up(shown: dict[str, float]) -> set[str]:
    return {part for part in PARTS if shown[f'part_up{{part="{part}"}}'] == 1}
