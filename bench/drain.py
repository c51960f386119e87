"""How fast what waits is written, and what it costs: the queue is filled while nobody may write, then let go."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bench import cpu
from bench.load import closed
from bench.rounds import Void, ask, assert_adds_up, assert_sold, named, wait_for_rest
from bench.stand import WORKER_PROCESSES, WRITER, Shop, Stand
from scripts import processes

FILL_S = 2
CONNECTIONS = 100
WRITERS = ("worker", "PostgreSQL")
BUFFERS = "SELECT blks_hit + blks_read FROM pg_stat_database WHERE datname = current_database()"
BARE_READY = "copy_floor is ready."  # bench/floors/worker.py says so

Start = Callable[[Stand], None]


@dataclass(frozen=True, slots=True)
class Drain:
    """What it took to write `sales`. `cpu_ms` a sale, of the worker and of the servers; `buffers` a sale, pages that
    PostgreSQL touched."""

    writer: str
    sales: int
    seconds: float
    cpu_ms: Mapping[str, float]
    buffers: float

    @property
    def a_second(self) -> float:
        """Sales written a second."""
        return self.sales / self.seconds

    @property
    def writing_ms(self) -> float:
        """CPU of the worker and of PostgreSQL, ms a sale."""
        return sum(self.cpu_ms[name] for name in WRITERS)


def one_process(stand: Stand) -> None:
    """The product's worker with one process."""
    stand.start_worker(concurrency=1)


def two_processes(stand: Stand) -> None:
    """The product's worker with two."""
    stand.start_worker(concurrency=2)


def bare(stand: Stand) -> None:
    """The floor."""
    stand.start("worker", [processes.PYTHON, "-m", "bench.floors.worker"], WRITER)
    stand.wait_for_log("worker", BARE_READY)


SHIPS = "one_process" if WORKER_PROCESSES == 1 else "two_processes"  # which of these, at two cores and at four
WRITE: Mapping[str, Start] = {"one_process": one_process, "two_processes": two_processes, "copy_floor": bare}


def drain(*, stand: Stand, shop: Shop, writer: str, sales: int, seed: int) -> Drain:
    """Fill the queue with that many sales or a few more, and let `writer` write them; nobody writes afterwards.

    What a writer has in hand by the time it is ready, its first batch read and checked, costs nothing here. Raises Void
    where it does not add up.
    """
    if "worker" in stand.running:
        stand.stop("worker")
    with stand.witness(shop) as witness:
        persisted = witness.persisted()
        while (held := witness.live_holds()) < sales:
            closed(connections=CONNECTIONS, seconds=FILL_S, seed=seed + held)(
                shop.target(stand.url + "ventas/checkout")
            )
        with stand.held_off(shop):
            WRITE[writer](stand)
            buffers, before = ask(stand, BUFFERS), cpu.of_parts(stand.parts)
            started = time.perf_counter()
        wait_for_rest(stand, witness)
        seconds = time.perf_counter() - started
        after = cpu.of_parts(stand.parts)
        stand.stop_writer()
        touched = ask(stand, BUFFERS) - buffers
        written = assert_adds_up(stand, witness, piped=True).persisted - persisted
    if written < sales:
        raise Void(f"{written} of at least {sales} written")
    assert_sold(stand, shop, newest=written)
    return Drain(
        writer=writer,
        sales=written,
        seconds=seconds,
        cpu_ms={name: (used - before[name]) * 1000 / written for name, used in after.items()},
        buffers=touched / written,
    )


def take_turns(*, stand: Stand, shop: Shop, writers: Sequence[str], sales: int, rounds: int) -> dict[str, list[Drain]]:
    """So many rounds of each, in turn; the product's worker runs again afterwards."""
    found: dict[str, list[Drain]] = {name: [] for name in writers}
    try:
        for number in range(rounds):
            for name in writers if number % 2 else reversed(writers):
                with named(f"{name}, round {number + 1}"):
                    found[name].append(drain(stand=stand, shop=shop, writer=name, sales=sales, seed=number))
    finally:
        if "worker" not in stand.running:
            stand.start_worker()
    return found
