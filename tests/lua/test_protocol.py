"""The reservation protocol holds, whatever the order of its steps and whoever dies between any two.

PROTOCOL_TIMES=50 searches fifty times as long, and other histories each time.
"""

import os
import random
from collections.abc import Sequence

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.lua.protocol.machine import protocol_machine
from tests.lua.protocol.postgres import Violation
from tests.lua.protocol.rules import PARTS
from tests.lua.protocol.walk import Broken, MakeWorld, replay, shrink, walk

TIMES = int(os.environ.get("PROTOCOL_TIMES", "1"))
EXAMPLES = 60 * TIMES
SEEDS = 80 * TIMES
ACTS_A_HISTORY = 300
ACTS_OF_HYPOTHESIS = 100
SHRINKING_S = 360  # Hypothesis takes up to five minutes to say it in few acts
pytestmark = pytest.mark.timeout(SHRINKING_S + 120 * TIMES)


def search(examples: int, *, acts: int, phases: Sequence[Phase] = tuple(Phase)) -> settings:
    """The same histories every time, unless more are asked for than usual."""
    return settings(
        max_examples=examples,
        stateful_step_count=acts,
        deadline=None,
        derandomize=TIMES == 1,
        database=None,
        print_blob=True,
        phases=phases,
        suppress_health_check=list(HealthCheck),
    )


def test_no_history_breaks_it(make_world: MakeWorld) -> None:
    run_state_machine_as_test(protocol_machine(make_world), settings=search(EXAMPLES, acts=ACTS_OF_HYPOTHESIS))


def test_no_long_walk_breaks_it(make_world: MakeWorld) -> None:
    """Longer histories than Hypothesis draws, each with a weather of its own: rare orders become common ones."""
    first = 0 if TIMES == 1 else random.SystemRandom().randrange(2**32)
    for seed in range(first, first + SEEDS):
        broken = walk(make_world, seed=seed, steps=ACTS_A_HISTORY)
        assert broken is None, str(shrink(make_world, broken))


def test_what_breaks_is_shrunk_and_can_be_replayed(make_world: MakeWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine itself works: with a rule missing it prints the acts that it takes, and they are enough."""
    for line in PARTS["the same sale holds once"].lines:
        line.take_out(monkeypatch.setattr)

    with pytest.raises(Violation, match="reservado is not the sum of the holds") as raised:
        run_state_machine_as_test(
            protocol_machine(make_world), settings=search(300, acts=40, phases=[Phase.reuse, Phase.generate])
        )
    walks = (walk(make_world, seed=seed, steps=ACTS_A_HISTORY) for seed in range(50))
    shrunk = shrink(make_world, next(found for found in walks if found is not None))

    printed = [line[: line.index("(")] for line in raised.value.__notes__ if line.startswith("state.")]
    assert {"state.reserve", "state.again", "state.teardown"} <= set(printed)
    assert [name for name, _arguments in shrunk.history] == ["reserve", "again"]
    assert replay(make_world, shrunk.history) == Broken(shrunk.what, shrunk.history)
