"""What a bench prints and keeps: tables of medians, the goals, the rows of the specification, JSON, a drawing."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from statistics import median

from bench.drain import Drain
from bench.goals import BASELINE, MOST, OURS, STRONGEST, Found, Goal, Rounds
from bench.plans import Read
from bench.rounds import Round
from bench.stats import Spread, ratio
from bench.trials import Journal

SHARED = "on cores that also carry the servers, the worker and the load"
LARGE_TABLES = ("inventory_ledger", "ventas")
PARTS = ("web", "worker", "RabbitMQ", "PostgreSQL", "Redis", "maintenance", "beat")

COLUMNS: tuple[tuple[str, Callable[[Round], float], str], ...] = (
    ("accepted/s", lambda each: each.load.accepted_a_second, "8.0f"),
    ("refused", lambda each: each.load.refused, "6.0f"),
    ("p50 ms", lambda each: each.load.p50_ms, "7.1f"),
    ("p95 ms", lambda each: each.load.p95_ms, "7.1f"),
    ("p99 ms", lambda each: each.load.p99_ms, "7.1f"),
    ("persisted/s", lambda each: each.persisted_a_second, "8.0f"),
    ("to row p95 ms", lambda each: each.to_row_p95_ms, "9.0f"),
    ("deadlocks", lambda each: each.deadlocks, "5.0f"),
)


def table(rounds: Rounds) -> str:
    """A line a variant: the median of its rounds, with the lowest and the highest; then CPU and memory."""
    lines = ["variant              " + "  ".join(f"{name:>24}" for name, _value, _format in COLUMNS)]
    for name, each in rounds.items():
        cells = [_cell(Spread.of([value(one) for one in each]), shape) for _name, value, shape in COLUMNS]
        lines.append(f"{name:<20} " + "  ".join(f"{cell:>24}" for cell in cells))
    titles = "  ".join(f"{part:>10}" for part in (*PARTS, "load"))
    lines += ["", f"CPU ms a sale        {titles}   memory MiB"]
    for name, each in rounds.items():
        spent = [median(one.cpu_ms.get(part, 0.0) for one in each) for part in PARTS]
        spent.append(median(one.load.cpu_s * 1000 / max(one.load.accepted, 1) for one in each))
        memory = " ".join(f"{part} {median(one.memory_mib.get(part, 0) for one in each):.0f}" for part in PARTS)
        lines.append(f"{name:<20} " + "  ".join(f"{used:>10.2f}" for used in spent) + f"   {memory}")
    return "\n".join(lines)


def ratios(rounds: Rounds) -> str:
    """How many times the baseline's, round by round; and the product's, how many times the strongest other way's."""
    pairs = [(name, BASELINE) for name in rounds if name != BASELINE and BASELINE in rounds]
    pairs += [(OURS, STRONGEST)] if {OURS, STRONGEST} <= rounds.keys() else []
    lines = []
    for name, under in pairs:
        each, base = rounds[name], rounds[under]
        accepted = ratio([one.load.accepted_a_second for one in each], [one.load.accepted_a_second for one in base])
        persisted = ratio([one.persisted_a_second for one in each], [one.persisted_a_second for one in base])
        p95 = ratio([one.load.p95_ms for one in base], [one.load.p95_ms for one in each])
        lines.append(
            f"{name} to {under}: accepted × {_cell(accepted, '.1f')}, persisted × {_cell(persisted, '.1f')}, "
            f"p95 ÷ {_cell(p95, '.1f')}"
        )
    return "\n".join(lines)


def drains(found: Mapping[str, Sequence[Drain]]) -> str:
    """A line a writer of a full queue."""
    lines = [f"{'writer':<20} {'sales/s':>20} {'worker ms':>10} {'PostgreSQL ms':>14} {'Redis ms':>10} {'pages':>8}"]
    for name, each in found.items():
        rate = _cell(Spread.of([one.a_second for one in each]), ".0f")
        spent = [median(one.cpu_ms[part] for one in each) for part in ("worker", "PostgreSQL", "Redis")]
        pages = median(one.buffers for one in each)
        lines.append(f"{name:<20} {rate:>20} {spent[0]:>10.2f} {spent[1]:>14.2f} {spent[2]:>10.2f} {pages:>8.0f}")
    return "\n".join(lines)


def reads(found: Sequence[Read]) -> str:
    """A line a statement of the admin's: how it comes to the large tables."""
    lines = [f"{'page':<36} {'rows read':>9} {'pages':>7} {'ms':>8}  by"]
    for one in found:
        large = [scan for scan in one.scans if scan.table in LARGE_TABLES]
        ways = ", ".join(scan.index or f"the whole of {scan.table}" for scan in large)
        rows = sum(scan.rows for scan in large)
        lines.append(f"{one.page:<36} {rows:>9,} {one.buffers:>7,} {one.ms:>8.1f}  {ways}")
    return "\n".join(lines)


def scripts(found: Journal) -> str:
    """A line a script."""
    lines = [f"{'script':<10} {'quiet µs':>9} {'full µs':>9}"]
    for name, quiet in found.quiet.items():
        lines.append(f"{name:<10} {quiet:>9.1f} {found.full[name]:>9.1f}  × {found.full[name] / quiet:.2f}")
    return "\n".join(lines)


def goals(judged: Sequence[Goal]) -> str:
    """A line a goal."""
    said = {True: "holds", False: "MISSED", None: "not measured in this run"}
    lines = []
    for one in judged:
        value = "—" if one.value is None else f"{one.value:.3g}"
        bound = f"{'≤' if one.most else '≥'} {one.goal:g}"
        lines.append(f"{one.name:<24} {value:>8}  {bound:<8} {said[one.holds]:<26} {one.size}")
    return "\n".join(lines)


def specification(found: Found, *, open_rate: int) -> str:
    """The five rows that the specification promises, beside what was measured here, and why one is missed."""
    ours = found.matrix.get(("basket", MOST), {}).get(OURS)
    theirs = found.matrix.get(("basket", MOST), {}).get(BASELINE)
    calm = found.open.get(open_rate, {}).get(OURS)
    if not ours or not theirs or not calm:
        return ""
    rows: list[tuple[str, str, str]] = [
        (f"latency p50, {open_rate} sales/s", "8 ms", f"{median(one.load.p50_ms for one in calm):.1f} ms"),
        (f"latency p95, {open_rate} sales/s", "15 ms", f"{median(one.load.p95_ms for one in calm):.1f} ms"),
        ("throughput", "1,200/s", f"{median(one.load.accepted_a_second for one in ours):,.0f}/s {SHARED}"),
        ("throughput before", "50/s", f"{median(one.load.accepted_a_second for one in theirs):,.0f}/s ({BASELINE})"),
        ("deadlocks", "0", f"{sum(one.deadlocks for one in ours)}"),
        ("CPU of the API", "15 % against 60 %", _cpu_of_the_api(ours, theirs)),
    ]
    return "\n".join(f"{what:<28} {promised:<20} {seen}" for what, promised, seen in rows)


def _cpu_of_the_api(ours: Sequence[Round], theirs: Sequence[Round]) -> str:
    ours_ms, theirs_ms = (median(one.cpu_ms["web"] for one in each) for each in (ours, theirs))
    return f"{ours_ms:.2f} ms a sale against {theirs_ms:.2f} ms"


def as_json(found: Found, judged: Sequence[Goal], about: Mapping[str, object]) -> dict[str, object]:
    """Every figure of every round."""
    return {
        "about": dict(about),
        "goals": {
            one.name: {
                "value": one.value,
                "goal": one.goal,
                "holds": one.holds,
                "size": one.size,
                "when": about.get("when") if one.value is not None else None,
            }
            for one in judged
        },
        "matrix": {f"{scenario}/{number}": _all(rounds) for (scenario, number), rounds in found.matrix.items()},
        "sustained": _all(found.sustained),
        "open": {str(rate): _all(rounds) for rate, rounds in found.open.items()},
        "drains": _all(found.drains),
        "load_test": asdict(found.load_test) if found.load_test else None,
        "warmup": asdict(found.warmup) if found.warmup else None,
        "grown": asdict(found.grown) if found.grown else None,
        "journal": asdict(found.journal) if found.journal else None,
        "tuning": _all(found.tuning),
    }


def _all(measured: Mapping[str, Sequence[Round]] | Mapping[str, Sequence[Drain]]) -> dict[str, list[dict[str, object]]]:
    return {name: [asdict(one) for one in each] for name, each in measured.items()}


def _cell(spread: Spread, shape: str) -> str:
    bare = shape.lstrip("0123456789")
    return f"{spread.median:{shape}} ({spread.low:{bare}}–{spread.high:{bare}})"
