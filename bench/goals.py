"""What a run is to reach, and whether it did. Each goal says at which size it was measured."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from bench.drain import SHIPS, Drain
from bench.load import REPLY_S
from bench.rounds import SAMPLE_S, Round
from bench.stats import ratio, slope
from bench.trials import Grown, Journal, LoadTest, Warmup

Rounds = Mapping[str, Sequence[Round]]
OURS, BASELINE, FLOOR = "checkout", "for_update", "floor"
STRONGEST = "one_statement"  # what PostgreSQL alone can do at most, written as nobody's ORM writes it
BARE_WRITER = "copy_floor"
FEW = 0.001  # refused or not answered, of all requests: more, and their quick answers would make up the percentiles
MOST = 100  # connections
WARMED = 100_000  # products; fewer say nothing of what so many cost
NO_GROWTH = 0.01  # of what is accepted, that stays


@dataclass(slots=True)
class Found:
    """All that was measured. `matrix`: by scenario and connections; `open`: by rate; None: not part of this run."""

    matrix: dict[tuple[str, int], Rounds] = field(default_factory=dict)
    sustained: Rounds = field(default_factory=dict)
    open: dict[int, Rounds] = field(default_factory=dict)
    drains: Mapping[str, Sequence[Drain]] = field(default_factory=dict)
    load_test: LoadTest | None = None
    warmup: Warmup | None = None
    grown: Grown | None = None
    journal: Journal | None = None
    tuning: Rounds = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Goal:
    """One goal; `value` None where this run does not measure it. `most`: the goal is an upper bound, else a lower."""

    name: str
    value: float | None
    goal: float
    most: bool
    size: str

    @property
    def holds(self) -> bool | None:
        """Whether it is reached; None where that was not measured."""
        if self.value is None:
            return None
        return self.value <= self.goal if self.most else self.value >= self.goal


def judge(found: Found, *, open_rate: int) -> list[Goal]:
    """Every goal, in the order of the documents."""
    hot, basket = found.matrix.get(("hot", MOST), {}), found.matrix.get(("basket", MOST), {})
    at_rate = found.open.get(open_rate, {}).get(OURS, ())
    cell = f"{MOST} connections, {_size(basket or hot)}"
    opened = f"{open_rate} sales/s, {_size({OURS: at_rate})}"
    test, warm, grown = found.load_test, found.warmup, found.grown
    lasted = _size(found.sustained)
    drained = f"{min((each.sales for some in found.drains.values() for each in some), default=0):,} sales waiting"
    warmed = f"{warm.products:,} products" if warm else ""
    tested = f"{test.sales:,} sales, {test.round.load.connections} users" if test else ""
    return [
        Goal("hot_accepted_ratio", _ratio(hot, accepted), 10, False, cell),
        Goal("hot_p95_ratio", _ratio(hot, p95_of_all), 0.1, True, cell),
        Goal("basket_accepted_ratio", _ratio(basket, accepted), 5, False, cell),
        Goal("basket_persisted_ratio", _ratio(found.sustained, persisted), 4, False, lasted),
        Goal("queue_growth", _growth(found.sustained.get(OURS, ())), NO_GROWTH, True, lasted),
        Goal("open_p50_ms", _median(at_rate, lambda each: each.load.p50_ms), 10, True, opened),
        Goal("open_p95_ms", _median(at_rate, p95), 50, True, opened),
        Goal("time_to_persist_p95_ms", _median(at_rate, lambda each: each.to_row_p95_ms), 500, True, opened),
        Goal("web_cpu_over_floor", _ratio(basket, web_cpu, under=FLOOR), 2, True, cell),
        Goal(
            "worker_cpu_over_floor", _drained(found, SHIPS, BARE_WRITER, lambda one: one.writing_ms), 2, True, drained
        ),
        Goal("load_test_seconds", test.seconds if test and test.sales >= test.asked else None, 180, True, tested),
        Goal("load_test_errors", test.errors + test.deadlocks if test else None, 0, True, tested),
        Goal("warmup_cpu_s", warm.cpu_s if warm and warm.products >= WARMED else None, 5, True, warmed),
        Goal("warmup_p95_ratio", warm.p95_ratio if warm else None, 2, True, warmed),
        Goal(
            "ledger_10m_cost_ratio",
            max(grown.cpu_ratio, grown.buffers_ratio) if grown else None,
            1.15,
            True,
            f"{grown.rows:,} rows" if grown else "",
        ),
        Goal(
            "two_workers_ratio",
            _drained(found, "two_processes", "one_process", lambda one: one.a_second),
            1.7,
            False,
            drained,
        ),
    ]


def accepted(each: Round) -> float:
    """Accepted sales a second."""
    return each.load.accepted_a_second


def persisted(each: Round) -> float:
    """Written sales a second, to the last one."""
    return each.persisted_a_second


def p95(each: Round) -> float:
    """Of the answers, ms."""
    return each.load.p95_ms


def lost(each: Round) -> bool:
    """Whether more than a FEW were refused or not answered."""
    return each.load.refused + each.load.broken > FEW * each.load.requests


def p95_of_all(each: Round) -> float:
    """The same, ms; where more than a FEW were lost, REPLY_S, which those wait at a fixed rate."""
    return REPLY_S * 1000 if lost(each) else p95(each)


def web_cpu(each: Round) -> float:
    """CPU ms a sale of who answers."""
    return each.cpu_ms["web"]


def _ratio(rounds: Rounds, value: Callable[[Round], float], *, under: str = BASELINE) -> float | None:
    ours, theirs = rounds.get(OURS), rounds.get(under)
    if not ours or not theirs or any(lost(each) for each in theirs):
        return None  # beside who refuses, anybody is quick
    return ratio([value(each) for each in ours], [value(each) for each in theirs]).median


def _median(rounds: Sequence[Round], value: Callable[[Round], float]) -> float | None:
    return median(value(each) for each in rounds) if rounds else None


def _drained(found: Found, over: str, under: str, value: Callable[[Drain], float]) -> float | None:
    if not found.drains.get(over) or not found.drains.get(under):
        return None
    return ratio([value(each) for each in found.drains[over]], [value(each) for each in found.drains[under]]).median


def _growth(rounds: Sequence[Round]) -> float | None:
    """By how much the sales that wait grew in the last two thirds, as a share of what was accepted; whatever was
    refused for want of room counts as having grown."""
    shares = []
    for each in rounds:
        later = each.waiting[len(each.waiting) // 3 :]
        if len(later) > 1:
            shares.append((slope(later) / SAMPLE_S + each.load.refused / each.load.seconds) / accepted(each))
    return max(shares, default=None)


def _size(rounds: Mapping[str, Sequence[Round]]) -> str:
    seconds = [each.load.seconds for some in rounds.values() for each in some]
    return f"{max(map(len, rounds.values()))} rounds of {median(seconds):.0f} s" if seconds else ""
