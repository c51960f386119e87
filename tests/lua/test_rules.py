"""Each rule of the protocol is needed: without it the machine finds a violation, in the same histories every time."""

import pytest

from tests.lua.protocol.histories import HISTORIES
from tests.lua.protocol.rules import PARTS, RARE, RULES, Rule
from tests.lua.protocol.server import Link
from tests.lua.protocol.server import Server as ProtocolServer
from tests.lua.protocol.walk import MakeWorld, replay, walk
from tests.lua.protocol.world import PRODUCTOS, World

MOST_SEEDS = 400


def take_out(rule: Rule, link: Link, patch: pytest.MonkeyPatch) -> MakeWorld:
    """Worlds without that rule, as long as the patch lasts."""
    for line in rule.lines:
        line.take_out(patch.setattr)
    return lambda: World(ProtocolServer(link, PRODUCTOS), rule.machine)


@pytest.mark.parametrize("rule", [*RULES, *PARTS])
def test_rule_taken_out_is_found(rule: str, make_world: MakeWorld, link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = (RULES | PARTS)[rule]
    with monkeypatch.context() as patch:
        without = take_out(taken, link, patch)
        histories = (walk(without, seed=seed, steps=taken.acts, weather=taken.weather) for seed in range(MOST_SEEDS))
        broken = next((found for found in histories if found is not None), None)

    assert broken is not None, f"nothing breaks without the rule: {MOST_SEEDS} histories"
    assert replay(make_world, broken.history) is None  # and it was the rule that was missing


@pytest.mark.parametrize("rule", HISTORIES)
def test_a_known_history_breaks_only_without_its_rule(
    rule: str, make_world: MakeWorld, link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    what, history = HISTORIES[rule]
    assert replay(make_world, history) is None

    broken = replay(take_out(RARE[rule], link, monkeypatch), history)

    assert broken is not None
    assert broken.what == what
