"""How often each fault is injected, and one case of it."""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from redis.exceptions import RedisError

from cache_stock.scripts import StockError
from tests.faults.counting import Watch, counts, late_answers, rest_violations, scene_violations
from tests.faults.customers import Customers
from tests.faults.ground import Ground
from tests.faults.healing import ARMED, GIVE_UP_S, SELLS, Heals, heal
from tests.faults.results import Result
from tests.faults.scene import AFTER, BEFORE, Scene, Size, open_scene, stale_warmups


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
    heals: Heals = SELLS
    two_masters: bool = False  # one of them promises what is dropped by its epoch

    def count(self, size: Size) -> int:
        """How many injections; N in the environment says otherwise."""
        return int(os.environ.get("N") or getattr(self, size))

    def longest_s(self, size: Size) -> float:
        """How long it takes where each case takes as long to heal as it may."""
        return self.heals.within_s * self.count(size) / self.at_once

    def heals_at(self, point: str) -> Heals:
        """In the middle of a cold start nobody sells or persists before it is made anew."""
        return ARMED if point == "P10" and self.heals.within_s < ARMED.within_s else self.heals


def run_row(row: Row, ground: Ground, *, place: int, size: Size, seed: str, most_s: float | None = None) -> Result:
    """Inject as often as the size says, each case with a seed of its own; stop at the first case with a violation."""
    started = time.monotonic()
    result = Result(row.name, place, seed, row.heals.what, row.heals.within_s)
    ground.start()
    scene = open_scene(ground, seed=f"{seed}/{row.name}", size=size, points=len(row.points))
    number = 0
    while result.injections < row.count(size):
        _run_case(row, scene, result, number, most=row.count(size) - result.injections)
        number += 1
        if result.violations or (most_s is not None and time.monotonic() - started > most_s):
            break
    result.persisted, result.dropped, result.failed = counts(scene.shops)
    result.notes = scene.notes
    if result.armed_s:
        result.notes.append(
            f"cold starts that it fell upon: armed {result.armed_s:.1f} of {ARMED.within_s:.0f} s after it"
        )
    result.seconds = time.monotonic() - started
    return result


def _run_case(row: Row, scene: Scene, result: Result, number: int, *, most: int) -> None:
    name = f"{result.seed}/{row.name}/{number}"
    point = row.points[number % len(row.points)]
    heals = row.heals_at(point)
    before = len(scene.customers.carts)
    scene.customers = Customers(scene.shops, scene.ground.url, name, carts=scene.customers.carts, first=before)
    scene.draw.seed(name)
    scene.restock()
    watch = Watch(scene.shops)
    healed_s = GIVE_UP_S
    try:
        with watch.looking(), stale_warmups(scene), scene.customers.buying():
            scene.customers.wait_for(BEFORE)
            for _ in range(min(row.at_once, most)):
                row.inject(scene, point)
                scene.number += 1
                result.injections += 1
                result.points[point] = result.points.get(point, 0) + 1
            scene.ground.orders.withdraw()
            scene.ground.start()
            healed_s = heal(scene, heals)
            scene.customers.wait_for(AFTER, timeout_s=GIVE_UP_S)
            scene.afterwards.close()
        scene.come_to_rest()
        found = _violations(row, scene, watch)
        if healed_s > heals.within_s * scene.patience:
            found.append(f"{heals.what} after {healed_s:.1f} s")
    except (AssertionError, StockError, RedisError) as failure:
        found = [*sorted(watch.found), f"{type(failure).__name__}: {failure}"]
    finally:
        scene.afterwards.close()
    new = scene.customers.carts[before:]
    result.cases += 1
    result.carts += len(new)
    result.promised += sum(cart.promised for cart in new)
    result.looks += watch.looks
    if heals is row.heals:
        result.healed_s = max(result.healed_s, healed_s)
    else:
        result.armed_s = max(result.armed_s, healed_s)
    result.violations += [f"case {number} at {point}: {violation}" for violation in found]


def _violations(row: Row, scene: Scene, watch: Watch) -> list[str]:
    """Each invariant that does not hold, all the while or at rest."""
    found = sorted(watch.found)
    found += late_answers(scene.customers.carts, scene.unwell, scene.held, patience=scene.patience)
    for shop in scene.shops:
        found += rest_violations(shop, scene.customers.carts, two_masters=row.two_masters)
    confirmed = scene.ground.orders.confirmed()
    return found + scene_violations(scene.shops, to_fail=scene.to_fail, confirmed=confirmed)
