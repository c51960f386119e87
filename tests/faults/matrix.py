"""How often each fault is injected, one case of it, and the table of what came of all."""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Literal

from cache_stock.scripts import StockError
from tests.faults.counting import Watch, late_answers, rest_violations
from tests.faults.customers import Customers
from tests.faults.ground import Ground
from tests.faults.scene import Scene, open_scene, stale_warmups

Size = Literal["smoke", "test", "faults", "long"]
BEFORE, AFTER = 4, 4  # sales that were promised before it breaks, and after it has healed
HEALS_S = 10.0  # from the mend, or from when every tienda is armed, to the next promised sales
GIVE_UP_S = 90.0


@dataclass(frozen=True, slots=True)
class Row:
    """One fault. `inject` breaks, and mends what it broke; processes that died are started again after it."""

    name: str
    points: tuple[str, ...]
    test: int
    faults: int
    long: int
    inject: Callable[[Scene, str], None]
    smoke: int = 0
    at_once: int = 1  # injections a case: of what needs no rest after each

    def count(self, size: Size) -> int:
        """How many injections; N in the environment says otherwise."""
        return int(os.environ.get("N") or getattr(self, size))


@dataclass(slots=True)
class Result:
    """What came of one row. `healed_s`: the longest time from the mend to the next promised sales."""

    name: str
    seed: str
    injections: int = 0
    cases: int = 0
    carts: int = 0
    promised: int = 0
    looks: int = 0
    healed_s: float = 0.0
    seconds: float = 0.0
    violations: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, object]:
        """For a file."""
        return asdict(self)


def run_row(row: Row, ground: Ground, *, size: Size, seed: str, most_s: float | None = None) -> Result:
    """Inject as often as the size says, each case with a seed of its own; stop at the first case with a violation."""
    started = time.monotonic()
    result = Result(row.name, seed)
    ground.start()
    scene = open_scene(ground, seed=f"{seed}/{row.name}")
    number = 0
    while result.injections < row.count(size):
        _run_case(row, scene, result, number, most=row.count(size) - result.injections)
        number += 1
        if result.violations or (most_s is not None and time.monotonic() - started > most_s):
            break
    result.seconds = time.monotonic() - started
    return result


def _run_case(row: Row, scene: Scene, result: Result, number: int, *, most: int) -> None:
    name = f"{result.seed}/{row.name}/{number}"
    point = row.points[number % len(row.points)]
    scene.customers = Customers(scene.shops, scene.ground.url, name, carts=scene.customers.carts)
    scene.draw.seed(name)
    scene.restock()
    watch = Watch(scene.shops)
    before = len(scene.customers.carts)
    try:
        with watch.looking(), stale_warmups(scene), scene.customers.buying():
            scene.customers.wait_for(BEFORE)
            for _ in range(min(row.at_once, most)):
                row.inject(scene, point)
                result.injections += 1
            scene.ground.orders.withdraw()
            scene.ground.start()
            healed_s = scene.customers.wait_for(AFTER, timeout_s=GIVE_UP_S)
        scene.come_to_rest()
        found = [*sorted(watch.found)]
        found += [f"healed after {healed_s:.1f} s"] if healed_s > HEALS_S else []
        found += scene.dropped()
        late = late_answers(scene.customers.carts, scene.unwell)
        found += late if len(late) > scene.excused else []
        for shop in scene.shops:
            found += rest_violations(shop, scene.customers.carts)
    except (AssertionError, StockError) as failure:
        healed_s, found = GIVE_UP_S, [f"{type(failure).__name__}: {failure}"]
    new = scene.customers.carts[before:]
    result.cases += 1
    result.carts += len(new)
    result.promised += sum(cart.promised for cart in new)
    result.looks += watch.looks
    result.healed_s = max(result.healed_s, healed_s)
    result.violations += [f"case {number} at {point}: {violation}" for violation in found]


def table(results: list[Result]) -> str:
    """The matrix, as it is printed."""
    names = ("injected", "cases", "carts", "201", "looks", "healed", "took")
    columns = "".join(f"{name:>9}" for name in names)
    lines = [f"{'fault':18}{columns}  violations"]
    for one in results:
        counts = (one.injections, one.cases, one.carts, one.promised, one.looks)
        figures = "".join(f"{count:9}" for count in counts) + f"{one.healed_s:7.1f} s{one.seconds:7.0f} s"
        lines.append(f"{one.name:18}{figures}  {len(one.violations)}")
        lines += [f"    {violation}" for violation in one.violations[:20]]
    return "\n".join(lines)
