"""Redis: what was promised lies in it, so it is on disk, and nothing of it is ever thrown away."""

from collections.abc import Callable
from functools import partial
from typing import Any, cast

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from redis import Redis

from blend_pos.tiendas import access_cache
from cache_stock.scripts import StockRefused, each_server, guarded
from ventas.golive.findings import Asked, Check, Finding, Part, advice, failed, passed, reason, worst

MOST_USED = 0.8  # of maxmemory: beyond it Redis takes no sale before long
BYTES_A_MB = 1024 * 1024


def part() -> Part:
    """Its lines."""
    return Part(
        "Redis",
        (
            Check("redis.aof", gettext_lazy("AOF encendido"), partial(worst_of, aof)),
            Check("redis.eviction", gettext_lazy("No desaloja claves"), partial(worst_of, eviction)),
            Check("redis.maxmemory", gettext_lazy("Memoria"), partial(worst_of, maxmemory)),
            Check("redis.cache", gettext_lazy("El de CACHE_URL guarda quién pide"), keeps_access),
        ),
        gettext_lazy("¿Corre Redis y es cierto REDIS_URL? docs/operations.md, «503 stock_no_disponible»."),
    )


def worst_of(look: "Callable[[Redis], Finding]", _asked: Asked) -> Finding:
    """The same look at the one server, or at each node of a cluster, replicas as well, since one of those is the master
    tomorrow: what is worst of that, and of which."""
    return worst({server: look(redis) for server, redis in each_server().items()})


def aof(redis: "Redis") -> Finding:
    """The append-only file is written, and reaches the disk."""
    found = _info(redis, "persistence")
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
    how = _setting(redis, "appendfsync")
    if how == "no":
        return failed(
            _("encendido, pero nadie lo lleva al disco (appendfsync no)"),
            _("redis-cli CONFIG SET appendfsync everysec, y lo mismo en redis.conf."),
        )
    if _setting(redis, "auto-aof-rewrite-percentage") == "0":
        return advice(
            _("encendido, pero nunca se reescribe: crece hasta llenar el disco"),
            _(
                "¿Se interrumpió una copia? Cuando no corra ninguna: "
                "redis-cli CONFIG SET auto-aof-rewrite-percentage 100."
            ),
        )
    return passed(_("encendido, appendfsync %(como)s") % {"como": how or "?"})


def eviction(redis: "Redis") -> Finding:
    """A full Redis refuses; it forgets nothing."""
    policy = str(_info(redis, "memory").get("maxmemory_policy"))
    if policy == "noeviction":
        return passed(policy)
    return failed(
        _("%(politica)s: con la memoria llena borra stock y reservas") % {"politica": policy},
        _("redis-cli CONFIG SET maxmemory-policy noeviction, y lo mismo en redis.conf."),
    )


def maxmemory(redis: "Redis") -> Finding:
    """There is a limit, with room below it."""
    found = _info(redis, "memory")
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


def keeps_access(_asked: Asked) -> Finding:
    """Sessions and who has which token: perhaps another Redis, without which no till is known."""
    try:
        access_cache.try_write()
    except access_cache.AccessUnavailable as error:
        return failed(
            _("no contesta, o no guarda nada: %(error)s") % {"error": reason(error)},
            _("¿Corre, y es cierto CACHE_URL? Sin él todo es 503. docs/operations.md, «503 stock_no_disponible»."),
        )
    return passed(_("sí"))


def _info(redis: "Redis", section: str) -> dict[str, Any]:
    return cast("dict[str, Any]", guarded(partial(redis.info, section)))


def _setting(redis: "Redis", name: str) -> str:
    """Empty where Redis is somebody else's, who shows no settings."""
    try:
        found: dict[str, str] = guarded(partial(redis.config_get, name))
    except StockRefused:
        return ""
    return found.get(name, "")
