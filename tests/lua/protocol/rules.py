"""The rules that the protocol rests on, and for each the lines that make it up.

Taken out, each must let the machine find a violation. Where several lines hold one rule together, all are taken out.
"""

from dataclasses import dataclass, field

from tests.lua.protocol.mutation import LuaLine, PythonLine
from tests.lua.protocol.walk import Weather
from ventas import checkout, persistence

SELL = {"reserve": 3, "again": 2, "publish": 4, "look": 3, "answer": 3}
WORK = {"deliver": 3, "work": 8}
SLOW_WORK = {"deliver": 0.5, "work": 1}
LOSE = {"snapshot": 1, "lose": 0.3, "cold_start": 25, "buy": 1}
SELDOM_ARMED = {"snapshot": 2, "lose": 0.3, "cold_start": 1}
SWEEP = {"sweep": 4, "republish": 4}
FAIL = {"poison": 3, "archive": 3}


@dataclass(frozen=True, slots=True)
class Rule:
    """`lines` of the product; `machine`: the name of a rule whose place is SQL or a wait, which the machine stands for.

    Its violation is looked for in histories of `acts` acts; `weather`: how often each act comes, without it any
    weather finds it soon.
    """

    lines: tuple[LuaLine | PythonLine, ...] = ()
    machine: frozenset[str] = field(default_factory=frozenset)
    weather: Weather | None = None
    acts: int = 300


def _not_anothers(command: str) -> LuaLine:
    return LuaLine(command, "redis.call('HGET', meta, 'token') ~= ARGV[1] or ")


def _not_another_server(command: str) -> LuaLine:
    return LuaLine(command, " or run_id ~= ARGV[2] or master_replid ~= ARGV[3]")


VERSION_IN_SETTLE = LuaLine("settle", "if tonumber(version) >= tonumber(there[2]) then", "if true then")
VERSION_IN_WARMUP = LuaLine("warmup", "if version and tonumber(ARGV[at + 2]) < tonumber(version) then", "if false then")
ARMED_IN_RESERVE = LuaLine(
    "reserve", "local epoch = armed_epoch(meta)", "local epoch = redis.call('HGET', meta, 'epoch')"
)
ARMED_IN_RELEASE = LuaLine("release", "if not held[1] or not armed_epoch(meta) then", "if not held[1] then")
ARMED_IN_SWEEP = LuaLine("sweep", "if not armed_epoch(meta) then return {} end")
CONFIRMED_AND_ARMED = "if outcome is Outcome.CONFIRMED and armed_epoch == hold.epoch:"
REFUSED = "if outcome is Outcome.REFUSED and hold.created:"

# The eleven of the design.
HEARD_NOTHING = "except ReplyLost:\n        return _to_follow(order)"
REFUSED_ALL_THE_SAME = "except ReplyLost:\n        raise StockNoDisponible from None"
RULES = {
    "version": Rule((VERSION_IN_SETTLE, VERSION_IN_WARMUP)),
    "forward": Rule(
        (PythonLine(checkout, "decide", REFUSED, "if outcome is not Outcome.CONFIRMED and hold.created:"),)
    ),
    "reply": Rule(
        (PythonLine(checkout, "checkout", HEARD_NOTHING, "except ReplyLost:\n        raise StockNoDisponible"),)
    ),
    "intents": Rule((LuaLine("release", "if held[2] ~= '1' then return 0 end"),), weather=SELL),
    "nonce": Rule(
        (LuaLine("release", "if held[1] ~= ARGV[2] then return 0 end"),),
        weather=SELL | WORK | LOSE | {"reserve": 1},
        acts=600,
    ),
    "unique": Rule((PythonLine(persistence, "judge", "if key in taken:", "if False:"),)),
    "epoch": Rule(
        (PythonLine(persistence, "judge", "elif epochs[sale.tienda_id] != sale.epoch:", "elif False:"),),
        weather=SELL | WORK | {"lose": 0.6, "cold_start": 25},
        acts=150,
    ),
    "drain": Rule(machine=frozenset({"drain"}), weather=SELL | SLOW_WORK | LOSE, acts=600),
    "fence": Rule(
        (PythonLine(checkout, "decide", CONFIRMED_AND_ARMED, "if outcome is Outcome.CONFIRMED:"),),
        weather=SELL | WORK | LOSE,
        acts=600,
    ),
    "armed": Rule((ARMED_IN_RESERVE, ARMED_IN_RELEASE, ARMED_IN_SWEEP), weather=SELL | WORK | SELDOM_ARMED),
    "token": Rule(
        (
            LuaLine("begin", "if claim[1] and claim[1] ~= token and", "if false and"),
            *(_not_anothers(command) for command in ("clear", "load", "rehold", "arm")),
        ),
        machine=frozenset({"token"}),
    ),
}

# Parts of them by themselves, and what else it rests on.
PARTS = {
    "version in settle": Rule((VERSION_IN_SETTLE,)),
    "version in warmup": Rule((VERSION_IN_WARMUP,)),
    "version of the catalogue": Rule(
        (
            LuaLine(
                "warmup",
                "if not catalogue_version or tonumber(ARGV[at + 6]) >= tonumber(catalogue_version) then",
                "if true then",
            ),
        )
    ),
    "armed in reserve": Rule((ARMED_IN_RESERVE,), weather=SELL | WORK | SELDOM_ARMED),
    "intents of who asks again": Rule(
        (LuaLine("reserve", "redis.call('HINCRBY', hold, 'intentos', 1)"),), weather=SELL
    ),
    "intents of the sweep": Rule(
        (LuaLine("sweep", "redis.call('HINCRBY', found.hold, 'intentos', 1)"),), weather=SELL | WORK | SWEEP
    ),
    "the same sale holds once": Rule((LuaLine("reserve", "if held[1] then", "if false then"),)),
    "a lost product disarms": Rule(
        (
            LuaLine("reserve", "if not stock[2] and redis.call('ZSCORE', loaded, producto) then", "if false then"),
            LuaLine(
                "warmup", "if not there[i][1] and redis.call('ZSCORE', loaded, ARGV[7 * i - 5]) then", "if false then"
            ),
        )
    ),
    "failed sales are held again": Rule(
        (LuaLine("rehold", "if redis.call('EXISTS', hold) == 1 then return 1 end", "if true then return 1 end"),),
        weather=SELL | LOSE | FAIL,
    ),
    "a tombstone stays": Rule(machine=frozenset({"tombstone"}), weather=SELL | WORK | SWEEP | FAIL | {"discard": 3}),
    "a failed message of an older epoch holds nothing": Rule(
        machine=frozenset({"archived epoch"}), weather=SELL | WORK | LOSE | FAIL | {"hold_failed": 1, "retry": 1}
    ),
    "a retry is of its hold's epoch": Rule(
        machine=frozenset({"epoch of a retry"}), weather=SELL | WORK | LOSE | FAIL | {"hold_failed": 2, "retry": 1}
    ),
    "a failed sale is held before it is tried again": Rule(
        machine=frozenset({"hold before retry"}),
        weather=SELL | WORK | SWEEP | FAIL | {"discard": 3, "hold_failed": 2, "retry": 2},
    ),
    "stock is held before it is lowered": Rule(machine=frozenset({"hold_first"})),
    "an adjustment is of its hold's epoch": Rule(
        machine=frozenset({"adjustment_epoch"}), weather=SELL | WORK | LOSE | {"lower": 3, "adjust": 2}
    ),
    "balances are those of the transaction": Rule(machine=frozenset({"balances"}), weather=SELL | WORK | {"kill": 2}),
}

# Rarer ones, shown by a history of their own in test_rules.py.
RARE = {
    "armed in release": Rule((ARMED_IN_RELEASE,)),
    "armed in sweep": Rule((ARMED_IN_SWEEP,)),
    "the server of the claim": Rule(tuple(_not_another_server(c) for c in ("clear", "load", "rehold", "arm"))),
    "epoch": RULES["epoch"],
    "a failed sale's hold stays known": Rule(machine=frozenset({"known hold"})),
    "a discarded sale holds nothing": Rule(machine=frozenset({"tombstone holds"})),
    "what a discarded sale holds is let go": Rule(machine=frozenset({"let go again"})),
    "nobody lets go what is held again": Rule(machine=frozenset({"lock of a retry"})),
    "intents of the sweep": PARTS["intents of the sweep"],
    "balances are those of the transaction": PARTS["balances are those of the transaction"],
}


def every_rule() -> dict[str, Rule]:
    """All of them by name."""
    return RARE | PARTS | RULES
