"""One process of the simulation: schedules by their seeds, on a Redis of its own."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.queues import Queue

from django.conf import settings

from cache_stock import scripts
from tests.lua.protocol.rules import every_rule
from tests.lua.protocol.server import Link
from tests.lua.protocol.server import Server as ProtocolServer
from tests.lua.protocol.walk import ACTS, Broken, MakeWorld, Weather, shrink, walk
from tests.lua.protocol.world import PRODUCTOS, SWEEP_AFTER_MS, World

FORCES = (0, 0, 1, 1, 5)  # many acts are left out of each schedule: those that remain meet more often
ALWAYS = ("reserve", "publish")  # without them nothing happens
# What goes on beside sales: no rule's own weather, and most of them meet it.
STOCK: Weather = {
    "reserve": 3,
    "publish": 3,
    "deliver": 2,
    "work": 6,
    "read": 4,
    "warm": 4,
    "buy": 2,
    "reprice": 1,
    "flush": 1,
}
KNOWN = [STOCK, *(rule.weather for rule in every_rule().values() if rule.weather is not None)]


@dataclass(frozen=True, slots=True)
class Found:
    """The first schedule of some that breaks. `what` alone is compared, the rest is for whoever reads it."""

    seed: int
    what: str
    shown: str


def weather_of(seed: int) -> Weather:
    """Which acts come in this schedule, and how often: every third time anything, else what some rule is needed for."""
    draw = random.Random(f"weather {seed}")
    if draw.randrange(3):
        return draw.choice(KNOWN)
    weather = {name: act.often * draw.choice(FORCES) for name, act in ACTS.items()}
    for name in ALWAYS:
        weather[name] = weather[name] or ACTS[name].often
    return {name: force for name, force in weather.items() if force}


def schedule(make_world: MakeWorld, *, seed: int, acts: int) -> Broken | None:
    """One schedule; None where nothing breaks."""
    return walk(make_world, seed=seed, steps=acts, weather=weather_of(seed))


class Process:
    """What each process of the pool keeps: its worlds."""

    make_world: MakeWorld

    @classmethod
    def enter(cls, urls: "Queue[str]", without: str) -> None:
        """Take one of the servers, and take the rule out that is to be missed."""
        link = Link(urls.get())
        settings.SWEEP_AFTER_MS = SWEEP_AFTER_MS
        scripts.stock_client = link.stock_client
        machine: frozenset[str] = frozenset()
        if without:
            rule = every_rule()[without]
            machine = rule.machine
            for line in rule.lines:
                line.take_out(setattr)
        cls.make_world = staticmethod(lambda: World(ProtocolServer(link, PRODUCTOS), machine))

    @classmethod
    def run(cls, seeds: Sequence[int], acts: int) -> Found | None:
        """The first of these seeds whose schedule breaks, in as few acts as were found."""
        for seed in seeds:
            broken = schedule(cls.make_world, seed=seed, acts=acts)
            if broken is not None:
                return Found(seed, broken.what, str(shrink(cls.make_world, broken)))
        return None
