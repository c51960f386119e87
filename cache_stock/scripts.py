"""One typed function for each Lua command in lua/; their headers say what they guarantee.

Errors: StockUnreachable (nothing was sent), ReplyLost (sent, outcome unknown), StockRefused (the server answered
that it did not run it: full, loading, busy, a replica).
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.resources import files
from typing import Any, cast
from uuid import UUID

from django_redis import get_redis_connection
from redis import Redis
from redis.client import Pipeline
from redis.commands.core import Script
from redis.exceptions import BusyLoadingError, RedisError, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import TimeoutError as RedisTimeoutError

from cache_stock.cluster import ClusterClient, join
from cache_stock.connection import StockUnreachable

logger = logging.getLogger(__name__)

Argument = str | int
KEYS_A_CALL = 500


class StockError(Exception):
    """A command to the stock's Redis did not answer normally."""


class StockRefused(StockError):
    """Proven not to have run: never reached, or the server said so."""


class ReplyLost(StockError):
    """Sent; whether it ran is unknown."""


def stock_client() -> "Redis":
    """The stock alias' own client, texts decoded; of a cluster it takes what names a tienda."""
    return cast("Redis", get_redis_connection("stock"))


def server_of(key: str) -> str:
    """Which server has a key; '' where there is one alone, or none is known."""
    client: object = stock_client()
    if isinstance(client, ClusterClient):
        with suppress(StockUnreachable):
            return join(client.slots.owner(key))
    return ""


def each_server() -> dict[str, "Redis"]:
    """A client of each server by its address, a cluster's replicas among them, for what is asked of a server and not of
    a tienda; '' where there is one alone. Raises a StockError where none is known."""
    client: object = stock_client()
    if not isinstance(client, ClusterClient):
        return {"": stock_client()}
    found: dict[str, Redis] = {join(address): client.slots.client(address) for address in client.slots.with_replicas()}
    if not found:
        raise StockRefused("no node of the cluster is known")
    return found


def _load(name: str) -> Script:
    """The command of one file, with the shared part between its first line (flags) and the rest."""
    folder = files("cache_stock") / "lua"
    flags, rest = (folder / f"{name}.lua").read_bytes().split(b"\n", 1)
    return Script(cast("Redis", None), flags + b"\n" + (folder / "_shared.lua").read_bytes() + rest)


def _run(script: Script, keys: Sequence[str], arguments: Sequence[Argument]) -> Any:
    return guarded(partial(script, keys=keys, args=arguments, client=stock_client()))


def guarded(command: Callable[[], Any]) -> Any:
    """Run one command; its failure as StockRefused (it did not run) or ReplyLost (unknown)."""
    try:
        return command()
    except (StockUnreachable, BusyLoadingError) as error:  # both are connection errors to redis-py
        raise StockRefused(str(error)) from error
    except (RedisConnectionError, RedisTimeoutError) as error:
        raise ReplyLost(str(error)) from error
    except ResponseError as error:
        raise StockRefused(str(error)) from error
    except RedisError as error:
        raise ReplyLost(str(error)) from error


def ask_each(tiendas: Sequence[UUID], commands: Callable[[Pipeline, UUID], object]) -> dict[UUID, list[Any]]:
    """What each tienda's Redis answers to the same commands, in one round trip a server. Those of a server that does
    not answer are left out; a StockError where none does."""
    if not tiendas:
        return {}
    pipe = stock_client().pipeline(transaction=False)
    for tienda in tiendas:
        commands(pipe, tienda)
    answers: list[Any] = guarded(partial(pipe.execute, raise_on_error=False))
    count, found, failed = len(answers) // len(tiendas), {}, []
    for at, tienda in enumerate(tiendas):
        mine = answers[at * count : (at + 1) * count]
        errors = [answer for answer in mine if isinstance(answer, RedisError)]
        if errors:
            failed += errors[:1]
        else:
            found[tienda] = mine
    if failed and not found:
        guarded(partial(_fail_with, failed[0]))
    if failed:
        logger.warning("%d tiendas are left out: %s", len(failed), failed[0])
    return found


def _fail_with(error: RedisError) -> None:
    raise error


RESERVE = _load("reserve")
RELEASE = _load("release")
SETTLE = _load("settle")
WARMUP = _load("warmup")
FLUSH = _load("flush")
CHECK = _load("check")
AUDIT = _load("audit")
SWEEP = _load("sweep")
FAIL = _load("fail")
BEGIN = _load("begin")
CLEAR = _load("clear")
LOAD = _load("load")
REHOLD = _load("rehold")
ARM = _load("arm")


def reserve(*, keys: Sequence[str], arguments: Sequence[Argument]) -> list[Any]:
    """Hold a cart: {code, …} as reserve.lua says."""
    return cast("list[Any]", _run(RESERVE, keys, arguments))


def release(*, keys: Sequence[str], arguments: Sequence[Argument]) -> bool:
    """Give one hold back; False where refused."""
    return bool(_run(RELEASE, keys, arguments) == 1)


def settle(*, keys: Sequence[str], arguments: Sequence[Argument]) -> tuple[int, bool]:
    """Holds dropped, and whether the tienda is sound still."""
    dropped, sound = _run(SETTLE, keys, arguments)
    return dropped, sound == 1


def warmup(*, keys: Sequence[str], arguments: Sequence[Argument]) -> tuple[int, int] | None:
    """Balances that are as PostgreSQL said and newer ones; None while not armed."""
    code, *counts = _run(WARMUP, keys, arguments)
    return (counts[0], counts[1]) if code == 1 else None


def flush(*, keys: Sequence[str], arguments: Sequence[Argument]) -> int:
    """How many balances were forgotten."""
    return int(_run(FLUSH, keys, arguments))


def check(*, keys: Sequence[str]) -> tuple[int | None, list[list[str]]]:
    """The epoch while armed, and for each stock key saldo, reservado, version, catalogo_version ('' where there is
    none)."""
    epoch, *stock = _run(CHECK, keys, ())
    return (int(epoch) if epoch != "" else None), stock


def check_each(*, metas: Mapping[UUID, str]) -> dict[UUID, int | None]:
    """The epoch of each tienda while armed, as ask_each: the first of a server brings the script."""
    brought: set[str] = set()

    def put(pipe: Pipeline, tienda: UUID) -> None:
        server = server_of(metas[tienda])
        if server in brought:
            pipe.evalsha(CHECK.sha, 1, metas[tienda])
        else:
            brought.add(server)
            pipe.eval(check_text(), 1, metas[tienda])

    found = ask_each(list(metas), put)
    return {tienda: int(epoch) if epoch != "" else None for tienda, ((epoch,),) in found.items()}


def audit(
    *, keys: Sequence[str], arguments: Sequence[Argument]
) -> tuple[int | None, list[str], list[tuple[int | None, int]]]:
    """The epoch while armed, the journal entries without their hold, and for each product `reservado` (None: no hash)
    and what the journal's holds add up to."""
    epoch, lost, *products = _run(AUDIT, keys, arguments)
    sums = [(int(reservado) if reservado != "" else None, int(total)) for reservado, total in products]
    return (int(epoch) if epoch != "" else None), lost, sums


def check_text() -> str:
    """CHECK whole, to be sent within a pipeline: it answers as check() before that is taken apart."""
    return bytes(cast("bytes", CHECK.script)).decode()


def sweep(*, keys: Sequence[str], arguments: Sequence[Argument]) -> list[list[str]]:
    """The claimed holds: venta, huella, epoch, pedido, lines."""
    return cast("list[list[str]]", _run(SWEEP, keys, arguments))


def fail(*, keys: Sequence[str], arguments: Sequence[Argument]) -> bool:
    """Keep the hold of a failed sale out of the sweep; False where there is none."""
    return bool(_run(FAIL, keys, arguments) == 1)


def begin(*, keys: Sequence[str], arguments: Sequence[Argument]) -> tuple[str, str] | None:
    """run_id and master_replid for the holder of the token, else None."""
    code, *identity = _run(BEGIN, keys, arguments)
    return (identity[0], identity[1]) if code == 1 else None


def clear(*, keys: Sequence[str], arguments: Sequence[Argument]) -> int:
    """Members left; -1 where refused."""
    return int(_run(CLEAR, keys, arguments))


def load(*, keys: Sequence[str], arguments: Sequence[Argument]) -> bool:
    """Write balances of a cold start; False where refused."""
    return bool(_run(LOAD, keys, arguments) == 1)


def rehold(*, keys: Sequence[str], arguments: Sequence[Argument]) -> bool:
    """Hold a failed sale again; False where refused."""
    return bool(_run(REHOLD, keys, arguments) == 1)


def arm(*, keys: Sequence[str], arguments: Sequence[Argument]) -> bool:
    """End a cold start; False where refused."""
    return bool(_run(ARM, keys, arguments) == 1)


def exists(*, keys: Sequence[str]) -> int:
    """How many of these keys are there."""
    return int(guarded(partial(stock_client().exists, *keys)))


def overdue(*, key: str, now_ms: int, most: int) -> list[str]:
    """The members of a journal whose time has come, the oldest first."""
    return cast("list[str]", guarded(partial(stock_client().zrangebyscore, key, 0, now_ms, start=0, num=most)))


def set_field(*, key: str, field: str, value: str) -> None:
    """Write one field of a hash."""
    guarded(partial(stock_client().hset, key, field, value))


def delete_field(*, key: str, field: str) -> None:
    """Delete one field of a hash."""
    guarded(partial(stock_client().hdel, key, field))


def reschedule(*, key: str, member: str, at_ms: int) -> None:
    """Change the time of a member of a journal, where it is there."""
    guarded(partial(stock_client().zadd, key, {member: at_ms}, xx=True))


def fields(*, key: str, names: list[str]) -> list[str | None]:
    """Some fields of a hash, None for each that is not there."""
    return cast("list[str | None]", guarded(partial(stock_client().hmget, key, names)))


def delete_prefixed(*, prefix: str) -> None:
    """Delete every key that begins so, some hundred a call. It walks all keys of the server: for rare occasions."""
    client = stock_client()
    found = guarded(lambda: list(client.scan_iter(match=f"{prefix}*", count=KEYS_A_CALL)))
    for start in range(0, len(found), KEYS_A_CALL):
        guarded(partial(client.unlink, *found[start : start + KEYS_A_CALL]))


def delete(*, key: str) -> None:
    """Delete one key."""
    guarded(partial(stock_client().delete, key))
