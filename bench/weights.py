"""`python -m bench.weights [SALES]`: the bytes that a sale takes in each server, on servers of its own, and what beat's
looks at ten thousand tiendas cost.

Baskets of a grocery's size are sold through the whole product. What only waits is looked at while no worker runs; what
stays is the growth over the sales that were written. Prints JSON.
"""

import json
import sys
import tempfile
import time
import urllib.request
from base64 import b64encode
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import redis

from bench.baskets import SCENARIOS
from bench.load import closed
from bench.rounds import ask, assert_adds_up, wait_for_rest
from bench.stand import Shop, Stand, stand
from cache_stock import keys

SALES = 20_000
TIENDAS = 10_000
WAITING = 1_000
CONNECTIONS = 16
COUNTED_S = 12.0  # RabbitMQ counts a quorum queue that late
LONGEST_S = 600
TABLES = ("ventas", "detalle_ventas", "inventory_ledger", "pagos")
SIZE = "SELECT pg_total_relation_size(%s)"
LINES = "SELECT count(*) FROM detalle_ventas"
WAL = "SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"
QUEUE = "queue.sales.created"


def sell(made: Stand, shop: Shop, sales: int, *, seed: int) -> None:
    """So many, or a few more."""
    loader = closed(connections=CONNECTIONS, seconds=LONGEST_S, seed=seed, most=sales)
    loader(shop.target(made.url + "ventas/checkout"))


def waiting(made: Stand, shop: Shop, client: "redis.Redis") -> dict[str, float]:
    """Bytes of what is held and not written: the hold and its line in the journal, the sale within its message."""
    made.stop("worker")
    sell(made, shop, WAITING, seed=1)
    time.sleep(COUNTED_S)
    journal = keys.journal(shop.tienda_id)
    held: Any = client.zrange(journal, 0, -1)
    prefix = keys.hold_prefix(shop.tienda_id)
    found = {
        "redis_hold": mean(client, [prefix + venta for venta in held]) + memory(client, journal) / len(held),
        "rabbitmq_body_a_sale": queue_bytes(made) / len(held),
    }
    made.start_worker()
    return found


def staying(made: Stand, shop: Shop, sales: int) -> dict[str, float]:
    """Bytes that each written sale leaves behind, by the growth over so many."""
    with made.witness(shop) as witness:
        wait_for_rest(made, witness)
        rows, before, lines = witness.persisted(), sizes(made), ask(made, LINES)
        sell(made, shop, sales, seed=2)
        wait_for_rest(made, witness)
        written = assert_adds_up(made, witness, piped=True).persisted - rows
    grown = {name: (size - before[name]) / written for name, size in sizes(made).items()}
    return {"sales": written, "lines_a_sale": (ask(made, LINES) - lines) / written, **grown}


def sizes(made: Stand) -> dict[str, float]:
    """Tables with their indexes, the logs of both servers."""
    found = {f"postgresql_{table}": ask(made, SIZE, [table]) for table in TABLES}
    folder = made.services.redis.data
    found["postgresql_wal"] = ask(made, WAL)
    found["redis_aof"] = float(sum(path.stat().st_size for path in folder.rglob("*.incr.aof")))
    return found


def kept(shop: Shop, client: "redis.Redis") -> dict[str, float]:
    """What Redis has of each product and of each answer, for as long as it keeps them."""
    stock = [str(name) for name in client.scan_iter(match=keys.stock_prefix(shop.tienda_id) + "*", count=1000)]
    answers = [str(name) for name in client.scan_iter(match=keys.answer_prefix(shop.tienda_id) + "*", count=1000)]
    return {
        "redis_product": mean(client, stock) + memory(client, keys.loaded(shop.tienda_id)) / len(stock),
        "redis_answer": mean(client, answers[:1000]),
    }


def memory(client: "redis.Redis", key: str) -> float:
    """One key, its value and what Redis needs for both."""
    found: Any = client.memory_usage(key, samples=0)
    return float(found or 0)


def mean(client: "redis.Redis", names: Sequence[str]) -> float:
    """Of some keys."""
    return sum(memory(client, name) for name in names) / len(names)


def queue_bytes(made: Stand) -> float:
    """The bodies in the sales queue, without headers and what the broker adds."""
    url = urlsplit(made.services.rabbit.management_url)
    vhost = quote(urlsplit(made.services.rabbit.url).path[1:], safe="")
    request = urllib.request.Request(f"http://{url.hostname}:{url.port}/api/queues/{vhost}/{QUEUE}")
    request.add_header("Authorization", f"Basic {b64encode(f'{url.username}:{url.password}'.encode()).decode()}")
    with urllib.request.urlopen(request, timeout=5) as response:
        return float(json.load(response)["message_bytes"])


def main(arguments: Sequence[str]) -> int:
    sales = int(arguments[0]) if arguments else SALES
    with tempfile.TemporaryDirectory(prefix="blend-pos-weights-") as name, stand(Path(name)) as made:
        shop = made.open_shop(SCENARIOS["basket"], seed=1)
        with redis.Redis.from_url(made.services.redis.url, decode_responses=True) as client:
            found: Mapping[str, float] = waiting(made, shop, client) | staying(made, shop, sales) | kept(shop, client)
        looks = made.probe("rounds", str(TIENDAS))
    print(json.dumps({name: round(value, 1) for name, value in found.items()} | {"looks": looks}, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
