"""What is not a matter of rounds: the load test of the specification, a warmup beside sales, a ledger of ten million
rows."""

import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median
from typing import Any

import redis

from bench import cpu
from bench.baskets import SCENARIOS, Scenario
from bench.drain import SHIPS, Drain, take_turns
from bench.load import closed, fixed_rate
from bench.plans import Read
from bench.rounds import VARIANTS, Round, Void, ask, assert_adds_up, measure
from bench.stand import Shop, Stand
from bench.stats import ratio
from cache_stock import keys

SOLD_A_SECOND = 100
CONNECTIONS = 100
LEDGER_A_STATEMENT = 500_000
OLDER_A_CALL = 500

GROW = """
INSERT INTO inventory_ledger (producto_id, fecha, tipo, delta, saldo, version, operacion, motivo)
SELECT id, now() - make_interval(secs => %(left)s - step), 'COMPRA', 1, stock_actual + step, version + step,
    gen_random_uuid(), ''
FROM productos, generate_series(1, %(each)s) AS step WHERE tienda_id = %(tienda)s ORDER BY step, id
"""
RAISE = """
UPDATE productos SET stock_actual = stock_actual + %(each)s, version = version + %(each)s,
    actualizado = statement_timestamp()
WHERE tienda_id = %(tienda)s
"""
ANY_PRODUCT = "SELECT id::text FROM productos WHERE tienda_id = %s ORDER BY id LIMIT 1"
PAST_SALES = """
INSERT INTO ventas
    (tienda_id, venta_id, huella, fecha, total, metodo_pago, cajero_id, terminal_id, recibo, epoch, persistida)
SELECT %(tienda)s, gen_random_uuid(), repeat('0', 64), now() - make_interval(secs => step * 10), 1, 'EFECTIVO',
    cajero.usuario_id, terminal.id, step, 1, now()
FROM generate_series(1, %(sales)s) AS step,
    (SELECT usuario_id FROM membresias WHERE tienda_id = %(tienda)s LIMIT 1) AS cajero,
    (SELECT id FROM terminales WHERE tienda_id = %(tienda)s ORDER BY id LIMIT 1) AS terminal
"""

OLDER = """
local there = 0
for _, producto in ipairs(redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2])) do
  there = there + redis.call('HEXISTS', ARGV[3] .. producto, 'saldo')
  redis.call('HINCRBY', ARGV[3] .. producto, 'version', -1)
  redis.call('HINCRBY', ARGV[3] .. producto, 'catalogo_version', -1)
end
return there
"""


@dataclass(frozen=True, slots=True)
class LoadTest:
    """`sales` of `asked`: seconds until the last was written, and who was not answered 201."""

    asked: int
    sales: int
    seconds: float
    errors: int
    deadlocks: int
    round: Round


def load_test(stand: Stand, *, users: int, each: int) -> LoadTest:
    """The specification's: so many users sell, each as soon as it is answered. Raises Void."""
    shop = stand.open_shop(SCENARIOS["basket"], seed=1)
    load = closed(connections=users, seconds=3_600, seed=1, most=users * each)
    done = measure(stand=stand, variant=VARIANTS["checkout"], shop=shop, load=load)
    return LoadTest(
        asked=users * each,
        sales=done.load.accepted,
        seconds=done.load.seconds + done.drained_s,
        errors=done.load.refused + done.load.broken + (done.load.followed or 0),
        deadlocks=done.deadlocks,
        round=done,
    )


@dataclass(frozen=True, slots=True)
class Warmup:
    """CPU seconds of each warmup, of the command, Redis and PostgreSQL; and the sales beside it against none."""

    products: int
    costs: Sequence[float]
    quiet: Sequence[Round]
    beside: Sequence[Round]

    @property
    def cpu_s(self) -> float:
        """Of the median one."""
        return median(self.costs)

    @property
    def p95_ratio(self) -> float:
        """Of checkout's answers."""
        return ratio([one.load.p95_ms for one in self.beside], [one.load.p95_ms for one in self.quiet]).median


def warmup(stand: Stand, *, products: int, seconds: int, rounds: int) -> Warmup:
    """A tienda of so many products, of all of which Redis has something older, is warmed alone; then while another
    sells, and again when that is done; with and without, in turn. Raises Void."""
    big = stand.open_shop(Scenario("hot", products, ""), seed=1, carts=1)
    shop = stand.open_shop(SCENARIOS["basket"], seed=1)
    command = ("warmup_stock", f"--tienda={big.tienda_id}")
    load = fixed_rate(rate=SOLD_A_SECOND, connections=CONNECTIONS, seconds=seconds)
    sell = partial(measure, stand=stand, variant=VARIANTS["checkout"], shop=shop, load=load)
    sell()  # not counted: what was just written is still on its way to the disk
    older = partial(_make_older, stand, big, products)
    costs: list[float] = []
    quiet: list[Round] = []
    beside: list[Round] = []

    def sell_beside() -> None:
        older()
        with ThreadPoolExecutor(max_workers=1) as thread:
            over = time.monotonic() + seconds
            warming = thread.submit(_again_and_again, lambda: stand.manage(*command), over)
            beside.append(sell())
            if warming.result() == 0:
                raise Void("no warmup ended beside the sales")

    for number in range(rounds):
        older()
        costs.append(_cost(stand, lambda: stand.manage(*command)))
        if number % 2:
            sell_beside()
        quiet.append(sell())
        if not number % 2:
            sell_beside()
    return Warmup(products, costs, quiet, beside)


def _make_older(stand: Stand, shop: Shop, products: int) -> None:
    """What Redis has of each product is older than PostgreSQL's: a warmup writes all of it, as it seldom must. Raises
    Void."""
    client = redis.Redis.from_url(stand.settings["REDIS_URL"])
    prefix = keys.stock_prefix(shop.tienda_id)
    there = 0
    for start in range(0, products, OLDER_A_CALL):
        piece: Any = client.eval(OLDER, 1, keys.loaded(shop.tienda_id), start, start + OLDER_A_CALL - 1, prefix)
        there += piece
    client.close()
    if there != products:
        raise Void(f"{there} of {products} products are warm")


def _again_and_again(what: Callable[[], object], until: float) -> int:
    done = 0
    while time.monotonic() < until:
        what()
        done += 1
    return done


def _cost(stand: Stand, what: Callable[[], object]) -> float:
    """CPU seconds of a command, and of Redis and PostgreSQL meanwhile."""
    names = ("PostgreSQL", "Redis")
    before, children = cpu.of_parts(stand.parts), cpu.of_ended_children()
    what()
    after = cpu.of_parts(stand.parts)
    return cpu.of_ended_children() - children + sum(after[name] - before[name] for name in names)


@dataclass(frozen=True, slots=True)
class Grown:
    """What a sale costs to write while the ledger had `from_rows` at most, and after it grew by `rows`; how the admin
    reads it then."""

    rows: int
    from_rows: int
    before: Sequence[Drain]
    after: Sequence[Drain]
    reads: Sequence[Read] = field(default_factory=list)

    @property
    def cpu_ratio(self) -> float:
        """CPU of the worker and PostgreSQL, after to before."""
        return median(each.writing_ms for each in self.after) / median(each.writing_ms for each in self.before)

    @property
    def buffers_ratio(self) -> float:
        """Pages touched, after to before."""
        return median(each.buffers for each in self.after) / median(each.buffers for each in self.before)


def grow(stand: Stand, *, rows: int, past_sales: int, sales: int, rounds: int) -> Grown:
    """Write sales, let the ledger of their products grow, write again; then look at it in the admin. Raises Void."""
    shop = stand.open_shop(SCENARIOS["basket"], seed=1)
    _settle_down(stand)
    before = _write(stand, shop, sales, rounds)
    from_rows = int(ask(stand, "SELECT count(*) FROM inventory_ledger"))
    history = _fill(stand, shop, rows=rows, past_sales=past_sales)
    stand.manage("warmup_stock", f"--tienda={shop.tienda_id}")
    return Grown(rows, from_rows, before, _write(stand, shop, sales, rounds), _look(stand, shop, history))


def _look(stand: Stand, shop: Shop, history: Shop) -> list[Read]:
    """One product's history, and the ventas of the day before yesterday."""
    with stand.connect() as connection:
        (producto,) = connection.execute(ANY_PRODUCT, [shop.tienda_id]).fetchone() or ("",)
    day = (datetime.now(UTC) - timedelta(days=2)).date().isoformat()
    found = stand.probe("pages", str(shop.tienda_id), producto, str(history.tienda_id), day)
    return [Read.from_json(each) for each in found]


def _write(stand: Stand, shop: Shop, sales: int, rounds: int) -> list[Drain]:
    return take_turns(stand=stand, shop=shop, writers=[SHIPS], sales=sales, rounds=rounds)[SHIPS]


def _fill(stand: Stand, shop: Shop, *, rows: int, past_sales: int) -> Shop:
    """So many rows for its products; and another tienda, with so many sales."""
    products = SCENARIOS["basket"].products
    with stand.connect() as connection:
        left = -(-rows // products)
        while left > 0:
            each = min(left, LEDGER_A_STATEMENT // products)
            arguments = {"tienda": shop.tienda_id, "each": each, "left": left}
            with connection.transaction():
                connection.execute(GROW, arguments)
                connection.execute(RAISE, arguments)
            left -= each
        history = stand.open_shop(SCENARIOS["hot"], seed=1, carts=1)
        connection.execute(PAST_SALES, {"tienda": history.tienda_id, "sales": past_sales})
    _settle_down(stand)
    return history


def _settle_down(stand: Stand) -> None:
    """Both large tables as PostgreSQL has them when nothing is left to do."""
    with stand.connect() as connection:
        connection.execute("VACUUM (ANALYZE) inventory_ledger")
        connection.execute("VACUUM (ANALYZE) ventas")
        connection.execute("CHECKPOINT")


@dataclass(frozen=True, slots=True)
class Journal:
    """What each script costs Redis, µs a call: `quiet` beside some hundred live holds, before and after the others;
    `full` beside `holds` more."""

    holds: int
    quiet: Mapping[str, float]
    full: Mapping[str, float]


def fill_journal(stand: Stand, *, holds: int) -> Journal:
    """Each script with an empty journal, and with a long one. Raises Void."""
    shop = stand.open_shop(SCENARIOS["basket"], seed=1, carts=1)
    found = stand.probe("journal", str(shop.tienda_id), str(holds))
    with stand.witness(shop) as witness:
        assert_adds_up(stand, witness, piped=True)
    return Journal(holds, found["quiet"], found["full"])
