"""How large a run is: the whole one, and the quick one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.baskets import SCENARIOS
from bench.goals import BASELINE, FLOOR, MOST, OURS, STRONGEST
from bench.rounds import VARIANTS

OPEN_RATE = 200  # sales a second, at which the goals of an open loop are judged


@dataclass(frozen=True, slots=True)
class Size:
    """`rates`: of the open loop, sales a second; 0 rows, users or holds: too large for this run."""

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
WHOLE = Size(
    scenarios=dict.fromkeys(SCENARIOS, ALL),
    connections=(1, 16, MOST),
    rounds=3,
    seconds=4,
    rates=(50, OPEN_RATE, 400),
    at_rates=(OURS, BASELINE, STRONGEST),
    sustained_s=60,
    sustained_rounds=2,
    open_s=15,
    waiting=8_000,
    warmed=100_000,
    warm_s=15,
    rows=10_000_000,
    users=100,
    each=1_000,
    holds=10_000,
)
QUICK = Size(
    scenarios={"hot": (OURS, BASELINE), "basket": (OURS, BASELINE, STRONGEST, FLOOR)},
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
