"""`make bench`: this product, and other ways to sell, on one machine in one run, each in its turn.

Prints tables of medians and which goals hold, and writes latest.json and latest.svg; a run of some parts leaves the
others there. The exit status is 1 where a run did not add up, not where a goal is missed.
"""

import argparse
import os
import platform
import random
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench import report, trials, tuning
from bench.baskets import SCENARIOS
from bench.drain import WRITE, take_turns
from bench.goals import BASELINE, FLOOR, MOST, OURS, Found, judge
from bench.keeping import keep
from bench.load import Loader, LoadFailed, closed, fixed_rate
from bench.rounds import VARIANTS, Round, Void, measure
from bench.stand import NotReady, Stand, stand
from bench.stats import Spread
from scripts import processes
from scripts.binaries import MissingBinary
from scripts.environment import written_by_hand
from scripts.ports import PortInUse
from scripts.services import ServiceError

PROBLEMS = (LoadFailed, NotReady, MissingBinary, PortInUse, ServiceError, Void)
WARM_S = 2
OPEN_RATE = 200
ASKED_FOR = {"tuning"}  # what a run does only where it is named
ALONE = {"ledger"}  # on servers of its own: what the other parts wrote would be in its way
SALES = 1_000_000  # of the past, beside ten million rows of the ledger


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a run is. `rates`: of the open loop, sales a second; 0 rows, users or holds: not in this run."""

    scenarios: Mapping[str, Sequence[str]]
    connections: Sequence[int]
    rounds: int
    seconds: int
    rates: Sequence[int]
    at_rates: Sequence[str]
    sustained_s: int
    sustained_rounds: int
    open_s: int
    waiting: int
    warmed: int
    warm_s: int
    rows: int
    users: int
    each: int
    holds: int


ALL = tuple(VARIANTS)
WHOLE = Plan(
    scenarios=dict.fromkeys(SCENARIOS, ALL),
    connections=(1, 16, MOST),
    rounds=3,
    seconds=5,
    rates=(50, OPEN_RATE, 400),
    at_rates=(OURS, BASELINE),
    sustained_s=60,
    sustained_rounds=2,
    open_s=20,
    waiting=8_000,
    warmed=100_000,
    warm_s=15,
    rows=10_000_000,
    users=100,
    each=1_000,
    holds=10_000,
)
QUICK = Plan(
    scenarios={"hot": (OURS, BASELINE), "basket": (OURS, BASELINE, FLOOR)},
    connections=(MOST,),
    rounds=2,
    seconds=3,
    rates=(OPEN_RATE,),
    at_rates=(OURS,),
    sustained_s=15,
    sustained_rounds=1,
    open_s=6,
    waiting=2_000,
    warmed=20_000,
    warm_s=4,
    rows=0,
    users=0,
    each=0,
    holds=0,
)


def read_options() -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only what the goals need, smaller")
    parser.add_argument("--only", default="", help="parts of it, parted by commas: " + ", ".join(STEPS))
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.only = [part for part in options.only.split(",") if part]
    if unknown := [part for part in options.only if part not in STEPS]:
        parser.error(f"--only: no {', '.join(unknown)}; there are {', '.join(STEPS)}")
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
        measure(stand=stand, variant=VARIANTS[name], shop=shops[name], load=warm)
    found: dict[str, list[Round]] = {name: [] for name in variants}
    for number in range(1, rounds + 1):
        order.reverse()  # who came last comes first, so that nobody always follows the same one
        if number % 2:
            shuffle.shuffle(order)
        for name in order:
            done = measure(stand=stand, variant=VARIANTS[name], shop=shops[name], load=load(seed + number))
            found[name].append(done)
    return found


def run_matrix(stand: Stand, plan: Plan, found: Found, seed: int) -> None:
    """Every scenario, every number of connections, every variant."""
    for scenario, variants in plan.scenarios.items():
        for connections in plan.connections:

            def load(seed: int, connections: int = connections) -> Loader:
                return closed(connections=connections, seconds=plan.seconds, seed=seed)

            rounds = take_rounds(stand, scenario, variants, load, rounds=plan.rounds, seed=seed, about=connections)
            found.matrix[scenario, connections] = rounds
            say(f"{scenario} ({SCENARIOS[scenario].what}), {connections} connections", report.table(rounds))
            print(report.ratios(rounds), flush=True)


def run_sustained(stand: Stand, plan: Plan, found: Found, seed: int) -> None:
    """The product and the baseline for a minute."""

    def load(seed: int) -> Loader:
        return closed(connections=MOST, seconds=plan.sustained_s, seed=seed)

    found.sustained = take_rounds(stand, "basket", (OURS, BASELINE), load, rounds=plan.sustained_rounds, seed=seed)
    say(f"basket, {MOST} connections for {plan.sustained_s} s", report.table(found.sustained))
    print(report.ratios(found.sustained), flush=True)


def run_open(stand: Stand, plan: Plan, found: Found, seed: int) -> None:
    """So many sales a second, whoever is late."""
    for rate in plan.rates:

        def load(_seed: int, rate: int = rate) -> Loader:
            return fixed_rate(rate=rate, connections=MOST, seconds=plan.open_s)

        found.open[rate] = take_rounds(stand, "basket", plan.at_rates, load, rounds=plan.rounds, seed=seed, about=rate)
        say(f"basket, {rate} sales a second", report.table(found.open[rate]))


def run_drains(stand: Stand, plan: Plan, found: Found, seed: int) -> None:
    """A full queue, written by each."""
    shop = stand.open_shop(SCENARIOS["basket"], seed=seed)
    writers = tuple(WRITE)
    found.drains = take_turns(stand=stand, shop=shop, writers=writers, sales=plan.waiting, rounds=plan.rounds)
    say(f"{plan.waiting:,} sales or more, waiting", report.drains(found.drains))


def run_load_test(stand: Stand, plan: Plan, found: Found, _seed: int) -> None:
    """The specification's."""
    if plan.users:
        test = found.load_test = trials.load_test(stand, users=plan.users, each=plan.each)
        say(
            f"load test: {plan.users} users, {plan.each:,} sales each",
            f"{test.sales:,} accepted in {test.round.load.seconds:.1f} s, all written after {test.seconds:.1f} s; "
            f"{test.errors} errors, {test.deadlocks} deadlocks\n" + report.table({OURS: [test.round]}),
        )


def run_warmup(stand: Stand, plan: Plan, found: Found, _seed: int) -> None:
    """Many products warmed, alone and beside sales."""
    warm = found.warmup = trials.warmup(stand, products=plan.warmed, seconds=plan.warm_s, rounds=plan.rounds)
    say(
        f"warmup of {plan.warmed:,} products",
        f"{warm.cpu_s:.2f} s of CPU; answers at {trials.SOLD_A_SECOND} sales a second, p95: "
        f"{_p95(warm.quiet)}, beside it {_p95(warm.beside)}",
    )


def _p95(rounds: Sequence[Round]) -> str:
    found = Spread.of([one.load.p95_ms for one in rounds])
    return f"{found.median:.1f} ms ({found.low:.1f}–{found.high:.1f})"


def run_ledger(stand: Stand, plan: Plan, found: Found, _seed: int) -> None:
    """Ten million rows."""
    if plan.rows:
        grown = found.grown = trials.grow(
            stand, rows=plan.rows, past_sales=SALES, sales=plan.waiting // 4, rounds=plan.rounds
        )
        both = report.drains({f"{grown.from_rows:,} rows": grown.before, f"{grown.rows:,} more": grown.after})
        say(
            f"a ledger of {plan.rows:,} rows", f"{both}\nCPU × {grown.cpu_ratio:.2f}, pages × {grown.buffers_ratio:.2f}"
        )
        say("how the admin reads it", report.reads(grown.reads))


def run_journal(stand: Stand, plan: Plan, found: Found, _seed: int) -> None:
    """Ten thousand live holds."""
    if plan.holds:
        found.journal = trials.fill_journal(stand, holds=plan.holds)
        say(f"scripts beside {plan.holds:,} live holds", report.scripts(found.journal))


def run_tuning(stand: Stand, plan: Plan, found: Found, seed: int) -> None:
    """What ships, and with one setting changed."""
    found.tuning = tuning.tune(stand, rounds=plan.rounds, seconds=plan.seconds, seed=seed)
    say(f"one setting changed: basket, {MOST} connections", tuning.table(found.tuning))


STEPS: Mapping[str, Callable[[Stand, Plan, Found, int], None]] = {
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


def tell(found: Found) -> None:
    """What was reached."""
    say("The specification's rows, and what was measured", report.specification(found, open_rate=OPEN_RATE))
    say("Goals", report.goals(judge(found, open_rate=OPEN_RATE)))


def main() -> int:
    """Measure, print, keep."""
    options, found, started = read_options(), Found(), time.monotonic()
    plan = QUICK if options.quick else WHOLE
    wanted = options.only or [name for name in STEPS if name not in ASKED_FOR and (plan.rows or name not in ALONE)]
    about: dict[str, object] = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "quick": options.quick,
        "seed": options.seed,
        "parts": wanted,
        "settings_by_hand": written_by_hand(processes.ROOT / ".env"),  # which what is measured reads, too
        "ended": False,
    }
    try:
        for alone in (False, True):
            names = [name for name in STEPS if name in wanted and (name in ALONE) == alone]
            if not names:
                continue
            with tempfile.TemporaryDirectory(prefix="blend-pos-bench-") as folder, stand(Path(folder)) as made:
                for name in names:
                    STEPS[name](made, plan, found, options.seed)
                    keep(found, judge(found, open_rate=OPEN_RATE), about, partial=bool(options.only))
    except PROBLEMS as problem:
        tell(found)
        print(problem, file=sys.stderr)
        return 1
    tell(found)
    print(f"\n{time.monotonic() - started:.0f} s on {os.cpu_count()} cores")
    keep(found, judge(found, open_rate=OPEN_RATE), about | {"ended": True}, partial=bool(options.only))
    return 0


if __name__ == "__main__":
    sys.exit(main())
