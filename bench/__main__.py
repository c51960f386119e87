"""`make bench`: this product, and other ways to sell, on one machine in one run, each in its turn.

Prints tables of medians and which goals hold, and writes latest.json and latest.svg; a run of some parts leaves the
others there. The exit status is 1 where a run did not add up, not where a goal is missed.
"""

import argparse
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bench import report, trials, tuning
from bench.baskets import SCENARIOS
from bench.drain import WRITE, take_turns
from bench.goals import BASELINE, FLOOR, MOST, OURS, Found, judge
from bench.keeping import LOGS, keep, keep_logs
from bench.load import Loader, LoadFailed, closed, fixed_rate
from bench.machine import machine, servers
from bench.rounds import VARIANTS, Round, Void, measure, named
from bench.sizes import OPEN_RATE, QUICK, WHOLE, Size
from bench.stand import NotReady, Stand, stand
from bench.stats import Spread
from scripts import binaries, processes
from scripts.binaries import MissingBinary
from scripts.environment import written_by_hand
from scripts.ports import PortInUse
from scripts.services import ServiceError

PROBLEMS = (LoadFailed, NotReady, MissingBinary, PortInUse, ServiceError, Void)
STOPPED = 130
WARM_S = 2
ASKED_FOR = {"tuning"}  # what a run does only where it is named
ALONE = {"ledger"}  # on servers of its own: what the other parts wrote would be in its way
LARGE = {"ledger", "load_test", "journal"}  # of no quick run
SALES = 1_000_000  # of the past, beside ten million rows of the ledger


def read_options() -> argparse.Namespace:
    """What the command line says."""
    usage = "make bench [QUICK=1] [ONLY=part,part…] [SEED=7]"
    parser = argparse.ArgumentParser(usage=usage, description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only what the goals need, smaller")
    parser.add_argument("--only", default="", help="parts of it, parted by commas: " + ", ".join(STEPS))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.only = [part for part in options.only.split(",") if part]
    if unknown := [part for part in options.only if part not in STEPS]:
        parser.error(f"ONLY: no {', '.join(unknown)}; there are {', '.join(STEPS)}")
    if options.quick and (large := [part for part in options.only if part in LARGE]):
        parser.error(f"ONLY: {', '.join(large)} is no part of a quick run; leave QUICK=1 away")
    return options


def take_rounds(
    stand: Stand,
    scenario: str,
    variants: Sequence[str],
    load: Callable[[int], Loader],
    *,
    rounds: int,
    seed: int,
    about: object = "",
) -> dict[str, list[Round]]:
    """In each round all variants take a turn, in an order that `about` the load decides with the seed; each warms up
    first, and that is not counted."""
    shuffle, order = random.Random(f"{seed}/{scenario}/{about}"), list(variants)
    shops = {name: stand.open_shop(SCENARIOS[scenario], seed=seed) for name in variants}
    if FLOOR in shops:
        stand.start_floor(shops[FLOOR])
    for name in variants:
        warm = closed(connections=MOST, seconds=WARM_S, seed=seed)
        with named(f"{scenario}, {name}, its warm-up"):
            measure(stand=stand, variant=VARIANTS[name], shop=shops[name], load=warm)
    found: dict[str, list[Round]] = {name: [] for name in variants}
    for number in range(1, rounds + 1):
        order.reverse()  # who came last comes first, so that nobody always follows the same one
        if number % 2:
            shuffle.shuffle(order)
        for name in order:
            with named(f"{scenario}, {name}, round {number}"):
                done = measure(stand=stand, variant=VARIANTS[name], shop=shops[name], load=load(seed + number))
            found[name].append(done)
    return found


def run_matrix(stand: Stand, size: Size, found: Found, seed: int) -> None:
    """Every scenario, every number of connections, every variant; but who deadlocks, whose rounds last longest, only
    with the most connections."""
    for scenario, every in size.scenarios.items():
        for connections in size.connections:
            variants = [name for name in every if connections == MOST or not VARIANTS[name].deadlocks]

            def load(seed: int, connections: int = connections) -> Loader:
                return closed(connections=connections, seconds=size.seconds, seed=seed)

            rounds = take_rounds(stand, scenario, variants, load, rounds=size.rounds, seed=seed, about=connections)
            found.matrix[scenario, connections] = rounds
            say(f"{scenario} ({SCENARIOS[scenario].what}), {connections} connections", report.table(rounds))
            print(report.ratios(rounds), flush=True)


def run_sustained(stand: Stand, size: Size, found: Found, seed: int) -> None:
    """The product and the baseline for a minute."""

    def load(seed: int) -> Loader:
        return closed(connections=MOST, seconds=size.sustained_s, seed=seed)

    found.sustained = take_rounds(stand, "basket", (OURS, BASELINE), load, rounds=size.sustained_rounds, seed=seed)
    say(f"basket, {MOST} connections for {size.sustained_s} s", report.table(found.sustained))
    print(report.ratios(found.sustained), flush=True)


def run_open(stand: Stand, size: Size, found: Found, seed: int) -> None:
    """So many sales a second, whoever is late."""
    for rate in size.rates:

        def load(_seed: int, rate: int = rate) -> Loader:
            return fixed_rate(rate=rate, connections=MOST, seconds=size.open_s)

        found.open[rate] = take_rounds(stand, "basket", size.at_rates, load, rounds=size.rounds, seed=seed, about=rate)
        say(f"basket, {rate} sales a second", report.table(found.open[rate]))


def run_drains(stand: Stand, size: Size, found: Found, seed: int) -> None:
    """A full queue, written by each."""
    shop = stand.open_shop(SCENARIOS["basket"], seed=seed)
    writers = tuple(WRITE)
    found.drains = take_turns(stand=stand, shop=shop, writers=writers, sales=size.waiting, rounds=size.rounds)
    say(f"{size.waiting:,} sales or more, waiting", report.drains(found.drains))


def run_load_test(stand: Stand, size: Size, found: Found, _seed: int) -> None:
    """The specification's."""
    test = found.load_test = trials.load_test(stand, users=size.users, each=size.each)
    say(
        f"load test: {size.users} users, {size.each:,} sales each",
        f"{test.sales:,} accepted in {test.round.load.seconds:.1f} s, all written after {test.seconds:.1f} s; "
        f"{test.errors} errors, {test.deadlocks} deadlocks\n" + report.table({OURS: [test.round]}),
    )


def run_warmup(stand: Stand, size: Size, found: Found, _seed: int) -> None:
    """Many products warmed, alone and beside sales."""
    warm = found.warmup = trials.warmup(stand, products=size.warmed, seconds=size.warm_s, rounds=size.rounds)
    say(
        f"warmup of {size.warmed:,} products",
        f"{warm.cpu_s:.2f} s of CPU; answers at {trials.SOLD_A_SECOND} sales a second, p95: "
        f"{_p95(warm.quiet)}, beside it {_p95(warm.beside)}",
    )


def _p95(rounds: Sequence[Round]) -> str:
    found = Spread.of([one.load.p95_ms for one in rounds])
    return f"{found.median:.1f} ms ({found.low:.1f}–{found.high:.1f})"


def run_ledger(stand: Stand, size: Size, found: Found, _seed: int) -> None:
    """Ten million rows."""
    grown = found.grown = trials.grow(
        stand, rows=size.rows, past_sales=SALES, sales=size.waiting // 4, rounds=size.rounds
    )
    both = report.drains({f"{grown.from_rows:,} rows": grown.before, f"{grown.rows:,} more": grown.after})
    say(f"a ledger of {size.rows:,} rows", f"{both}\nCPU × {grown.cpu_ratio:.2f}, pages × {grown.buffers_ratio:.2f}")
    say("how the admin reads it", report.reads(grown.reads))


def run_journal(stand: Stand, size: Size, found: Found, _seed: int) -> None:
    """Ten thousand live holds."""
    found.journal = trials.fill_journal(stand, holds=size.holds)
    say(f"scripts beside {size.holds:,} live holds", report.scripts(found.journal))


def run_tuning(stand: Stand, size: Size, found: Found, seed: int) -> None:
    """What ships, and with one setting changed."""
    found.tuning = tuning.tune(stand, rounds=size.rounds, seconds=size.seconds, seed=seed)
    say(f"one setting changed: basket, {MOST} connections", tuning.table(found.tuning))


STEPS: Mapping[str, Callable[[Stand, Size, Found, int], None]] = {
    "matrix": run_matrix,
    "sustained": run_sustained,
    "open": run_open,
    "drains": run_drains,
    "warmup": run_warmup,
    "load_test": run_load_test,
    "ledger": run_ledger,
    "journal": run_journal,
    "tuning": run_tuning,
}


def say(title: str, text: str) -> None:
    """A table, below its title."""
    print(f"\n{title}\n{text}", flush=True)


def tell(found: Found, *, quick: bool) -> None:
    """What was reached."""
    if rows := report.specification(found, open_rate=OPEN_RATE):
        say("The specification's rows, and what was measured", rows)
    say(
        "Goals" + (", of a run that is too short to be judged by" if quick else ""),
        report.goals(judge(found, open_rate=OPEN_RATE)),
    )


def run_parts(
    names: Sequence[str], size: Size, found: Found, about: dict[str, object], options: argparse.Namespace
) -> None:
    """So many parts on the same servers. What a part that fails has in its logs is kept. Raises PROBLEMS."""
    print(f"Servers, web, workers for {', '.join(names)} …", flush=True)
    with tempfile.TemporaryDirectory(prefix="blend-pos-bench-") as folder, stand(Path(folder)) as made:
        about["servers"] = servers(made.settings)
        for name in names:
            try:
                STEPS[name](made, size, found, options.seed)
            except PROBLEMS as problem:
                problem.add_note(f"In the part {name}; nothing that it measured counts. Its logs: {LOGS}")
                for ended, process in made.ended.items():
                    problem.add_note(f"{ended} has ended with {process.returncode}:\n{process.log_tail()}")
                keep_logs(made.folder)
                raise
            keep(found, judge(found, open_rate=OPEN_RATE), about, partial=bool(options.only))


def main() -> int:
    """Measure, print, keep."""
    options, found, started = read_options(), Found(), time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ends like Ctrl-C: nothing is left behind
    size = QUICK if options.quick else WHOLE
    wanted = options.only or [name for name in STEPS if name not in ASKED_FOR and not (options.quick and name in LARGE)]
    about: dict[str, object] = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        **machine(),
        "quick": options.quick,
        "seed": options.seed,
        "parts": wanted,
        "settings_by_hand": written_by_hand(processes.ROOT / ".env"),  # which what is measured reads, too
        "ended": False,
    }
    try:
        binaries.wrk()
        for alone in (False, True):
            if names := [name for name in STEPS if name in wanted and (name in ALONE) == alone]:
                run_parts(names, size, found, about, options)
    except PROBLEMS as problem:
        keep(found, judge(found, open_rate=OPEN_RATE), about | {"void": str(problem)}, partial=bool(options.only))
        tell(found, quick=options.quick)
        print("", problem, *getattr(problem, "__notes__", []), sep="\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. What had been measured by then is kept.", file=sys.stderr)
        return STOPPED
    tell(found, quick=options.quick)
    print(f"\n{time.monotonic() - started:.0f} s on {os.cpu_count()} cores")
    keep(found, judge(found, open_rate=OPEN_RATE), about | {"ended": True}, partial=bool(options.only))
    return 0


if __name__ == "__main__":
    sys.exit(main())
