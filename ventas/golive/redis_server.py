"""Redis: what was promised lies in it, so it is on disk, and nothing of it is ever thrown away."""

from functools import partial
from typing import Any, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from cache_stock.scripts import StockRefused, guarded, stock_client
from ventas.golive.findings import Asked, Check, Finding, Part, advice, failed, passed

MOST_USED = 0.8  # of maxmemory: beyond it Redis takes no sale before long
BYTES_A_MB = 1024 * 1024


def part() -> Part:
    """Its lines."""
    return Part(
        "Redis",
        (
            Check("redis.aof", gettext_lazy("AOF encendido"), aof),
            Check("redis.eviction", gettext_lazy("No desaloja claves"), eviction),
            Check("redis.maxmemory", gettext_lazy("Memoria"), maxmemory),
        ),
        gettext_lazy("¿Corre Redis y es cierto REDIS_URL? docs/operations.md, «503 stock_no_disponible»."),
    )


def aof(asked: Asked) -> Finding:
    """The append-only file is written, and reaches the disk."""
    found = _info("persistence")
    if not found.get("aof_enabled"):
        return failed(
            _("apagado: un reinicio pierde lo prometido"),
            _("redis-cli CONFIG SET appendonly yes, y «appendonly yes» en redis.conf."),
        )
    lacking = [name for name in ("aof_last_write_status", "aof_last_bgrewrite_status") if found.get(name) != "ok"]
    if lacking:
        return failed(
            _("encendido, pero no se escribe: %(cuales)s") % {"cuales": ", ".join(lacking)},
            _("¿Está lleno el disco de Redis? Su registro lo dice. Libera espacio y redis-cli BGREWRITEAOF."),
        )
    how = _setting("appendfsync")
    if how == "no":
        return failed(
            _("encendido, pero nadie lo lleva al disco (appendfsync no)"),
            _("redis-cli CONFIG SET appendfsync everysec, y lo mismo en redis.conf."),
        )
    return passed(_("encendido, appendfsync %(como)s") % {"como": how or "?"})


def eviction(asked: Asked) -> Finding:
    """A full Redis refuses; it forgets nothing."""
    policy = str(_info("memory").get("maxmemory_policy"))
    if policy == "noeviction":
        return passed(policy)
    return failed(
        _("%(politica)s: con la memoria llena borra stock y reservas") % {"politica": policy},
        _("redis-cli CONFIG SET maxmemory-policy noeviction, y lo mismo en redis.conf."),
    )


def maxmemory(asked: Asked) -> Finding:
    """There is a limit, with room below it."""
    found = _info("memory")
    most, used = int(found.get("maxmemory", 0)), int(found["used_memory"])
    if not most:
        return advice(
            _("sin límite; usa %(mb).1f MB") % {"mb": used / BYTES_A_MB},
            _("Ponle uno menor que la memoria libre: «maxmemory 256mb» en redis.conf; 1gb desde 10 000 productos."),
        )
    seen = _("%(mb).1f de %(maximo).0f MB") % {"mb": used / BYTES_A_MB, "maximo": most / BYTES_A_MB}
    if used > MOST_USED * most:
        return failed(seen, _("Sube maxmemory: redis-cli CONFIG SET maxmemory 1gb, y lo mismo en redis.conf."))
    return passed(seen)


def _info(section: str) -> dict[str, Any]:
    return cast("dict[str, Any]", guarded(partial(stock_client().info, section)))


def _setting(name: str) -> str:
    """Empty where Redis is somebody else's, who shows no settings."""
    try:
        found: dict[str, str] = guarded(partial(stock_client().config_get, name))
    except StockRefused:
        return ""
    return found.get(name, "")
