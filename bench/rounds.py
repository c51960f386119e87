"""One round: load one variant for some seconds, wait until all is written, count CPU time, see that it adds up."""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from bench import cpu
from bench.load import Load, Loader
from bench.sold import Written, count_lost, find_wrong, read_written
from bench.stand import UPKEEP, Shop, Stand
from scripts.replay.evidence import Witness
from scripts.replay.identity import Evidence, ProductEvidence

SAMPLE_S = 0.5
LOOKS = 5
TO_ROW = """
SELECT percentile_disc(0.95) WITHIN GROUP (ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - fecha) * 1000)
FROM (SELECT xmin, fecha FROM ventas WHERE tienda_id = %s ORDER BY id DESC LIMIT %s) AS newest
"""
AT_WORK = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' AND state <> 'idle'
    AND application_name <> %s
"""
PAUSE_S = 0.02  # between two looks at Redis and PostgreSQL, which tell nobody when they are at rest
QUIET_S = 0.5
STUCK_S = 60.0


class Void(Exception):
    """What was measured does not add up, and counts for nothing. The message says what."""


@dataclass(frozen=True, slots=True)
class Variant:
    """A way to sell. `path` below /api/v1/; `piped`: Redis promises, and a worker writes; `server`: who answers;
    `deadlocks`: PostgreSQL may end all that it does."""

    name: str
    path: str
    piped: bool
    server: str = "web"
    deadlocks: bool = False


VARIANTS = {
    one.name: one
    for one in (
        Variant("checkout", "ventas/checkout", piped=True),
        Variant("for_update", "bench/for_update", piped=False, server="baseline"),
        Variant("for_update_naive", "bench/for_update_naive", piped=False, server="baseline", deadlocks=True),
        Variant("conditional_update", "bench/conditional_update", piped=False, server="baseline"),
        Variant("one_statement", "bench/one_statement", piped=False, server="baseline"),
        Variant("floor", "", piped=True, server="floor"),
    )
}


@dataclass(frozen=True, slots=True)
class Round:
    """One round's figures. `cpu_ms`: of each part, milliseconds a sale, from the first request until all is at rest.

    `drained_s`: from the last answer until nothing is held, and PostgreSQL is at rest. `to_row_p95_ms`: from when the
    view took the request until its row was committed. `written`: sales, those too whose answer nobody waited for.
    `waiting`: how many sales were promised and not written, every half second.
    """

    variant: str
    load: Load
    written: int
    cpu_ms: Mapping[str, float]
    memory_mib: Mapping[str, float]
    drained_s: float
    to_row_p95_ms: float
    deadlocks: int
    waiting: Sequence[int] = field(default_factory=list)

    @property
    def persisted_a_second(self) -> float:
        """Of all sales, until the last was written."""
        return self.written / (self.load.seconds + self.drained_s)


@contextmanager
def named(what: str) -> Iterator[None]:
    """Who was being measured, in front of what did not add up."""
    try:
        yield
    except Void as lack:
        raise Void(f"{what}: {lack}") from lack


def measure(*, stand: Stand, variant: Variant, shop: Shop, load: Loader) -> Round:
    """Run it. Raises Void where Redis, PostgreSQL, the ledger and what was accepted differ afterwards."""
    urls = {"web": stand.url, "baseline": stand.baseline_url, "floor": stand.floor_url}
    target = shop.target(urls[variant.server] + variant.path)
    with stand.witness(shop) as witness:
        before, persisted, deadlocks = cpu.of_parts(stand.parts), witness.persisted(), stand.deadlocks
        with _watched(stand, shop) as waiting:
            done = load(target)
        drained_s = wait_for_rest(stand, witness)
        after = cpu.of_parts(stand.parts)
        written = assert_adds_up(stand, witness, piped=variant.piped).persisted - persisted
    # What was on its way when the load stopped was taken without being counted: at most one request a connection. And
    # who was not answered in time may have sold.
    if not done.accepted <= written <= done.accepted + done.broken + done.connections:
        raise Void(f"accepted {done.accepted}, written {written}")
    ventas = assert_sold(stand, shop, newest=written)
    if not variant.deadlocks:
        if not done.accepted:
            raise Void(f"nothing was sold: {done.refused} requests were refused, {done.broken} not answered")
        if lost := count_lost((venta.venta_id for venta in ventas), done):
            raise Void(f"{lost} requests were answered as sold, and are not written")
    sales = max(written, 1)
    spent = {name: (used - before[name]) * 1000 / sales for name, used in after.items() if name in before}
    memory = {name: cpu.memory(pids) / 2**20 for name, pids in stand.parts.items()}
    if variant.server != "web":
        spent["web"], memory["web"] = spent.pop(variant.server), memory.pop(variant.server)
    return Round(
        variant=variant.name,
        load=done,
        written=written,
        cpu_ms=spent,
        memory_mib=memory,
        drained_s=drained_s,
        to_row_p95_ms=ask(stand, TO_ROW, [shop.tienda_id, sales]),
        deadlocks=stand.deadlocks - deadlocks,
        waiting=waiting,
    )


def wait_for_rest(stand: Stand, witness: Witness) -> float:
    """Until nothing is held any more, and nobody is at work in PostgreSQL for QUIET_S: requests go on whose client has
    hung up. How long that took, without QUIET_S, seconds. Raises Void.

    No sale is counted meanwhile: a look at all of them would cost PostgreSQL more than writing some.
    """
    started = rest = moved = time.perf_counter()
    seen = -1
    with stand.connect() as connection:
        while time.perf_counter() - rest < QUIET_S:
            held = witness.live_holds()
            (at_work,) = connection.execute(AT_WORK, list(UPKEEP.values())).fetchone() or (0,)
            if held or at_work:
                rest = time.perf_counter()
            if held != seen:
                seen, moved = held, time.perf_counter()
            if rest - moved > STUCK_S:
                raise Void(
                    f"not at rest: for {STUCK_S:.0f} s {held} sales have been held, "
                    f"and {at_work} sessions of PostgreSQL are at work"
                )
            time.sleep(PAUSE_S)
    return rest - started


def assert_adds_up(stand: Stand, witness: Witness, *, piped: bool) -> Evidence:
    """PostgreSQL, the lines of its ventas, the ledger and, where it promises, Redis say the same of each product.
    Raises Void.

    When wrk ends, some of its requests are still under way: what they hold is waited for, too.
    """
    found = witness.gather()
    for _look in range(LOOKS):
        if not found.live_holds:
            break
        wait_for_rest(stand, witness)
        found = witness.gather()
    wrong = []
    for producto, there in found.products.items():
        if not agrees(there, piped=piped):
            wrong.append(f"{producto}: {there}")
    if found.open_failures or found.live_holds:
        wrong.append(f"{found.open_failures} failed sales, {found.live_holds} holds")
    if wrong:
        raise Void("; ".join(wrong[:5]))
    return found


def assert_sold(stand: Stand, shop: Shop, *, newest: int) -> list[Written]:
    """So many of the newest ventas, which have the products, quantities and totals of their carts. Raises Void."""
    written = read_written(stand, shop, newest)
    if wrong := find_wrong(written, shop):
        raise Void(f"{len(wrong)} of {newest} ventas are not what their carts were: {', '.join(wrong[:3])}")
    return written


def agrees(there: ProductEvidence, *, piped: bool) -> bool:
    """Whether what is said of one product is the same everywhere."""
    equal: list[set[int | None]] = [
        {there.stock_actual, there.ledger_delta, there.ledger_last_saldo},
        {there.version, there.ledger_rows},
        {there.ledger_sold, there.detalle_cantidad},
        {there.breaks, 0},
    ]
    if piped:
        equal += [
            {there.stock_actual, there.redis_saldo},
            {there.version, there.redis_version},
            {there.redis_reservado, 0},
        ]
    return all(len(values) == 1 for values in equal)


@contextmanager
def _watched(stand: Stand, shop: Shop) -> Iterator[list[int]]:
    """How many sales wait to be written, every SAMPLE_S while it lasts."""
    samples: list[int] = []
    over = threading.Event()

    def look() -> None:
        with stand.witness(shop) as witness:
            while not over.wait(SAMPLE_S):
                samples.append(witness.live_holds())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()


def ask(stand: Stand, sql: str, arguments: Sequence[object] = ()) -> float:
    """One number of PostgreSQL's; 0 where there is none."""
    with psycopg.connect(stand.settings["DATABASE_URL"], autocommit=True) as connection:
        row = connection.execute(sql, list(arguments)).fetchone()
    return float(row[0] or 0) if row else 0.0
