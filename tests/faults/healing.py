"""How long it takes, from the mend on, until all is well again: what counts as well, and how long it may take."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from cache_stock.scripts import StockError
from tests.faults.scene import AFTER, Scene
from tests.polling import wait_until

GIVE_UP_S = 90.0
DRAIN_S = 20.0  # of the queues before a cold start: two looks at them a statistics interval apart, and who sells on

Condition = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Heals:
    """`begin` is called at the mend, and what it returns is asked until it says yes."""

    what: str
    within_s: float
    begin: Callable[[Scene], Condition]


def heal(scene: Scene, heals: Heals) -> float:
    """Wait for it; seconds since now."""
    began = time.monotonic()
    condition = heals.begin(scene)
    wait_until(condition, timeout_s=max(GIVE_UP_S, 2 * heals.within_s), what=heals.what)
    return time.monotonic() - began


def _sells(scene: Scene) -> Condition:
    since = time.monotonic()
    return lambda: scene.customers.promised_since(since) >= AFTER


def _persists(scene: Scene) -> Condition:
    began = scene.written()
    return lambda: scene.written() > began


def _armed(scene: Scene) -> Condition:
    return scene.armed


def _no_orphans(scene: Scene) -> Condition:
    """Whatever was held at the mend is written, or failed, or given back."""
    held = [(shop, set(shop.holds())) for shop in scene.shops]

    def gone() -> bool:
        try:
            return not any(before & scene.live_holds(shop) for shop, before in held)
        except StockError:
            return False

    return gone


SELLS = Heals("sells", 10.0, _sells)
REDELIVERED = Heals("persists", 2.0, _persists)
CONSUMES = Heals("persists", 10.0, _persists)
ARMED = Heals("armed", 15.0 + DRAIN_S, _armed)
NO_ORPHANS = Heals("no orphan", 60.0, _no_orphans)
