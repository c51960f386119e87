"""Histories: drawn at random with a weather of their own, replayed, shrunk."""

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.lua.protocol import losing, selling, stocking, writing
from tests.lua.protocol.invariants import Watch, check_at_rest
from tests.lua.protocol.postgres import Violation
from tests.lua.protocol.rest import come_to_rest, start
from tests.lua.protocol.world import ACTS, World

__all__ = [
    "ACTS",
    "Broken",
    "MakeWorld",
    "Weather",
    "losing",
    "replay",
    "selling",
    "shrink",
    "stocking",
    "walk",
    "writing",
]

MakeWorld = Callable[[], World]
Weather = Mapping[str, float]
Step = tuple[str, dict[str, Any]]
FORCES = (0.1, 1, 1, 5)
SHRINK_REPLAYS = 400


@dataclass(frozen=True, slots=True)
class Broken:
    """A history at whose end something is not as it must be."""

    what: str
    history: Sequence[Step]
    seed: int | None = None

    def __str__(self) -> str:
        lines = "\n".join(f"    {step!r}," for step in self.history)
        return f"{self.what} (seed {self.seed}, {len(self.history)} acts)\nreplay(make_world, [\n{lines}\n])"


@dataclass(slots=True)
class Run:
    """One world under watch, armed and warm at first."""

    world: World
    watch: Watch
    history: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        start(self.world)

    def step(self, name: str, arguments: dict[str, Any]) -> None:
        self.history.append((name, arguments))
        self.world.now_ms += 1
        ACTS[name].do(self.world, **arguments)
        self.watch.check()

    def rest(self) -> None:
        come_to_rest(self.world)
        self.watch.check()
        check_at_rest(self.world)


def walk(make_world: MakeWorld, *, seed: int, steps: int, weather: Weather | None = None) -> Broken | None:
    """One random history. `weather`: how often each act comes, the others not at all; without it the seed decides."""
    draw = random.Random(seed)
    names = list(weather or ACTS)
    weights = list(weather.values()) if weather else [ACTS[name].often * draw.choice(FORCES) for name in names]
    world = make_world()
    run = Run(world, Watch(world))
    try:
        for name in draw.choices(names, weights, k=steps):
            run.step(name, {key: draw.choice(values) for key, values in ACTS[name].choices.items()})
        run.rest()
    except Violation as violation:
        return Broken(str(violation), run.history, seed)
    return None


def replay(make_world: MakeWorld, history: Sequence[Step]) -> Broken | None:
    """The same history again."""
    world = make_world()
    run = Run(world, Watch(world))
    try:
        for name, arguments in history:
            run.step(name, arguments)
        run.rest()
    except Violation as violation:
        return Broken(str(violation), list(run.history))
    return None


def shrink(make_world: MakeWorld, broken: Broken) -> Broken:
    """The same violation in fewer acts: pieces are left out, ever smaller ones, while it still breaks."""
    history, replays = list(broken.history), 0
    size = len(history) // 2
    while size:
        at = 0
        while at < len(history) and replays < SHRINK_REPLAYS:
            shorter = history[:at] + history[at + size :]
            replays += 1
            again = replay(make_world, shorter)
            if again is not None and again.what == broken.what:
                history = shorter
            else:
                at += size
        size //= 2
    return Broken(broken.what, history, broken.seed)
