"""What beat's looks at all tiendas cost, every two seconds: at the journals, and at who is armed, and with what.

`python -m bench.probes.rounds TIENDAS` prints {look: {"python_ms": …, "redis_ms": …}} as JSON: CPU of one look at so
many armed tiendas that hold nothing. It leaves none of them.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median
from typing import Any
from uuid import UUID, uuid4

from cache_stock import journal, keys, reservation, scripts

LOOKS = 5
A_CALL = 1_000


@contextmanager
def armed(count: int) -> Iterator[list[UUID]]:
    """So many tiendas that this Redis believes to be armed with."""
    client = scripts.stock_client()
    server: Any = client.info("server")
    replication: Any = client.info("replication")
    meta = {"run_id": server["run_id"], "master_replid": replication["master_replid"], "epoch": 1, "timeline": "none"}
    tiendas = [uuid4() for _ in range(count)]
    _each(tiendas, lambda pipe, name: pipe.hset(name, mapping=meta))
    yield tiendas
    _each(tiendas, lambda pipe, name: pipe.delete(name))


def _each(tiendas: Sequence[UUID], command: Callable[[Any, str], object]) -> None:
    for start in range(0, len(tiendas), A_CALL):
        pipe = scripts.stock_client().pipeline(transaction=False)
        for tienda in tiendas[start : start + A_CALL]:
            command(pipe, keys.meta(tienda))
        pipe.execute()


def cost(look: Callable[[], object]) -> dict[str, float]:
    """Medians of some, ms."""
    found = []
    for _ in range(LOOKS):
        redis_s, started = _redis_cpu_s(), time.process_time()
        look()
        found.append((time.process_time() - started, _redis_cpu_s() - redis_s))
    python, redis = (median(values) * 1000 for values in zip(*found, strict=True))
    return {"python_ms": round(python, 1), "redis_ms": round(redis, 1)}


def _redis_cpu_s() -> float:
    used: Any = scripts.stock_client().info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def measure(count: int) -> dict[str, dict[str, float]]:
    """Each look."""
    with armed(count) as tiendas:
        assert set(reservation.seen_epochs(tiendas=tiendas).values()) == {1}
        return {
            "sweep": cost(lambda: journal.survey(tiendas=tiendas, now_ms=0)),
            "who_is_armed": cost(lambda: reservation.seen_epochs(tiendas=tiendas)),
            "with_what_history": cost(lambda: journal.armed_histories(tiendas=tiendas)),
        }


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]))))
