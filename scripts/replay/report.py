"""What a replay prints: a table for people, one line of JSON for programs."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from scripts.replay.identity import Evidence
from scripts.replay.tills import Reply

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Pace:
    """How long it took to sell, and then until nothing was held any more; the client's own CPU time while selling."""

    selling_s: float
    resting_s: float
    client_cpu_s: float


@dataclass(frozen=True, slots=True)
class Run:
    """What there is to report of a replay; `total_centavos` of the accepted baskets."""

    replies: Sequence[Reply]
    accepted: int
    pace: Pace
    total_centavos: int
    evidence: Evidence
    products: int
    drift: Mapping[str, Sequence[str]]
    faults: Sequence[str]
    fillable: int

    @property
    def refusals(self) -> Counter[str]:
        """How often each reason was given."""
        return Counter(reason(reply) for reply in self.replies if not is_accepted(reply))

    @property
    def exact(self) -> bool:
        """Whether everything adds up."""
        return not self.drift and not self.faults


def is_accepted(reply: Reply) -> bool:
    """Whether the last answer of an order took it."""
    return reply.status in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}


def reason(reply: Reply) -> str:
    """Why an order was not taken."""
    return f"{reply.status} {reply.codigo}".strip() if reply.status else reply.codigo


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of 100 of the values do not exceed; 0 of no values."""
    if not values:
        return 0.0
    rank = -(-len(values) * percent // 100)  # rounded up
    return sorted(values)[max(0, int(rank) - 1)]


def figures(run: Run) -> dict[str, int | float]:
    """The run in ten numbers; `drift` counts the products that do not add up."""
    times_ms = [reply.answered_ms for reply in run.replies]
    return {
        "baskets": len(run.replies),
        "accepted": run.accepted,
        "refused": len(run.replies) - run.accepted,
        "persisted": run.evidence.persisted,
        "lines": run.evidence.lines,
        "p50_ms": round(percentile(times_ms, 50), 1),
        "p95_ms": round(percentile(times_ms, 95), 1),
        "p99_ms": round(percentile(times_ms, 99), 1),
        "persist_p95_ms": round(run.evidence.persist_p95_ms or 0.0, 1),
        "drift": len(run.drift),
    }


def table(run: Run) -> str:
    """The run for people."""
    ten = figures(run)
    count = len(run.replies)
    retries = sum(reply.retries for reply in run.replies)
    unknown = sum(reply.status == HTTPStatus.ACCEPTED for reply in run.replies)
    rows = [
        ("baskets", f"{count:,}"),
        ("accepted", f"{run.accepted:,}  (answered 202 and followed: {unknown:,})"),
        ("refused", f"{ten['refused']:,}"),
        *((f"  {why}", f"{times:,}") for why, times in run.refusals.most_common()),
        ("  could be filled at rest", f"{run.fillable:,}  (at most 1 in 200 refusals)"),
        ("tries answered 503 or not at all", f"{retries:,}  (sent again, with the same key)"),
        ("persisted", f"{ten['persisted']:,}  (open failed sales: {run.evidence.open_failures:,})"),
        ("lines", f"{ten['lines']:,}"),
        ("sold", f"{run.total_centavos / 100:,.2f}"),
        ("answer p50 / p95 / p99", f"{ten['p50_ms']} / {ten['p95_ms']} / {ten['p99_ms']} ms"),
        ("", "from the till's sending to its final answer, tries answered 503 included"),
        ("request to row p50 / p95", f"{run.evidence.persist_p50_ms or 0:.1f} / {ten['persist_p95_ms']} ms"),
        ("", "persistida − fecha in PostgreSQL: from the request's arrival to the transaction that wrote it"),
        ("selling", f"{run.pace.selling_s:.1f} s, {count / run.pace.selling_s:,.0f} baskets/s"),
        ("until the queue was drained", f"{run.pace.resting_s:.1f} s more"),
        ("this client", f"{100 * run.pace.client_cpu_s / run.pace.selling_s:.0f} % of one core while selling"),
        ("Redis = PostgreSQL = Σ ledger", f"{run.products - len(run.drift):,} of {run.products:,} products"),
    ]
    width = max(len(name) for name, _ in rows)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)


def complaints(run: Run) -> list[str]:
    """What is not exact, the first ones of it."""
    wrong = [f"NOT EXACT: {fault}" for fault in run.faults]
    wrong += [f"DRIFT: {name}: {what}" for name, all_of_it in list(run.drift.items())[:SHOWN] for what in all_of_it]
    if len(run.drift) > SHOWN:
        wrong.append(f"DRIFT: and {len(run.drift) - SHOWN} products more")
    return wrong


def last_line(run: Run) -> str:
    """The ten numbers as JSON."""
    return json.dumps(figures(run))
