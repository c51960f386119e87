"""The machine for Hypothesis: every act is a rule, each history ends at rest."""

from collections.abc import Callable
from typing import Any, ClassVar, cast

from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tests.lua.protocol.invariants import Watch
from tests.lua.protocol.postgres import Violation
from tests.lua.protocol.walk import ACTS, MakeWorld, Run


class Protocol(RuleBasedStateMachine):
    """Rules are added below, one an act; which of them are frequent is drawn anew for each history."""

    make_world: ClassVar[MakeWorld]

    def __init__(self) -> None:
        super().__init__()
        world = type(self).make_world()
        self.history = Run(world, Watch(world))
        self.broken = False

    def act(self, name: str, arguments: dict[str, Any]) -> None:
        try:
            self.history.step(name, arguments)
        except Violation:
            self.broken = True
            raise

    def teardown(self) -> None:
        if not self.broken:
            note("and comes to rest")
            self.history.rest()


def _rule(name: str) -> Callable[..., None]:
    def step(self: Protocol, **arguments: Any) -> None:
        self.act(name, arguments)

    step.__name__ = name
    strategies: Any = {key: st.sampled_from(values) for key, values in ACTS[name].choices.items()}
    as_rule = cast("Callable[[Callable[..., None]], Callable[..., None]]", rule(**strategies))
    return as_rule(step)


def protocol_machine(make_world: MakeWorld) -> type[Protocol]:
    """The machine on these worlds."""
    return type("ProtocolHere", (Protocol,), {"make_world": staticmethod(make_world)})


for _name in ACTS:
    setattr(Protocol, _name, _rule(_name))
