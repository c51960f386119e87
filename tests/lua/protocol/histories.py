"""Histories that one rule alone makes harmless, each in a few acts."""

from tests.lua.protocol.walk import Step
from tests.lua.protocol.world import PRODUCTOS, TIENDAS, Cart

TIENDA = TIENDAS[0]
BREAD = PRODUCTOS[TIENDA][0]
ONE: Cart = ((0, 1),)
ALL: Cart = ((0, 6),)


def sell(cart: Cart = ONE) -> Step:
    return "reserve", {"tienda": TIENDA, "cart": cart, "reply": "kept"}


def publish(outcome: str, pick: int = 0) -> Step:
    return "publish", {"pick": pick, "count": 1, "outcome": outcome}


def cold_start(steps: int) -> list[Step]:
    return [("cold_start", {"which": 0})] * steps


AGAIN: Step = ("again", {"back": 0, "reply": "kept"})
LOOK: Step = ("look", {"pick": 0})
ANSWER: Step = ("answer", {"pick": 0, "reply": "kept"})
SWEEP: Step = ("sweep", {"tienda": TIENDA})
REPUBLISH: Step = ("republish", {"pick": 0, "arrives": True})
POISON: Step = ("poison", {"pick": 0})
ARCHIVE: Step = ("archive", {"dies": False})
DELIVER: Step = ("deliver", {"pick": 0})
WORK: Step = ("work", {"pick": 0, "redis": "there"})
SNAPSHOT: Step = ("snapshot", {})
TIME_PASSES: Step = ("lease_runs_out", {})
DISCARD: Step = ("discard", {"pick": 0, "goods_came_back": True, "redis": "there"})
HOLD_FAILED: Step = ("hold_failed", {"pick": 0})
RETRY: Step = ("retry", {"pick": 0, "outcome": "confirmed"})
LET_GO_LATER: Step = ("let_go_later", {})
FORGET_ANSWERS: Step = ("forget_answers", {"tienda": TIENDA})
PERSIST = [DELIVER, WORK, WORK]
WHOLE_COLD_START = cold_start(30)


def lose(how: str) -> Step:
    return "lose", {"how": how, "pick": 0}


SOLD_AGAIN = [
    *(sell(), publish("confirmed"), LOOK, ANSWER, POISON, ARCHIVE, DISCARD),
    *(FORGET_ANSWERS, AGAIN, publish("confirmed"), *PERSIST),
]

# rule -> what happens without it, and how. The first four are mistakes that drafts of the protocol made.
HISTORIES: dict[str, tuple[str, list[Step]]] = {
    # A sweep claims before a loss, and publishes when all is armed again and the stock is promised to another.
    "epoch": (
        "more held than there is",
        [sell(ALL), TIME_PASSES, SWEEP, lose("empty"), *WHOLE_COLD_START, sell(ALL), REPUBLISH, *PERSIST],
    ),
    # A sweep publishes a hold that was given back, and that the loss has brought back.
    "armed in sweep": (
        "told 503, persisted",
        [sell(), SNAPSHOT, publish("refused"), ANSWER, lose("falls back"), TIME_PASSES, SWEEP, REPUBLISH, *PERSIST],
    ),
    # The balances that settle writes were read before the transaction that wrote the sale.
    "balances are those of the transaction": (
        "more held than there is",
        [sell(ALL), publish("confirmed"), DELIVER, WORK, WORK, WORK, sell(ALL)],
    ),
    # Who made the hold gives it back while the sweep has published it.
    "intents of the sweep": (
        "queued without a hold",
        [sell(), TIME_PASSES, SWEEP, REPUBLISH, publish("refused"), ANSWER],
    ),
    # A double click has published; the loss forgets that it asked; the first request gives the hold back and says so.
    "armed in release": (
        "told 503, persisted",
        [
            sell(),
            SNAPSHOT,
            AGAIN,
            publish("confirmed", pick=1),
            publish("refused"),
            lose("falls back"),
            LOOK,
            ("answer", {"pick": 1, "reply": "kept"}),
            ANSWER,
        ],
    ),
    # A promised sale fails; an older copy of its message makes the next cold start forget its hold.
    "a failed sale's hold stays known": (
        "told 201, and it can't be written",
        [
            *(sell(ALL), publish("confirmed"), LOOK, ANSWER, TIME_PASSES, SWEEP),
            *(POISON, ARCHIVE, lose("empty"), *WHOLE_COLD_START),
            *(REPUBLISH, *PERSIST, lose("empty"), *WHOLE_COLD_START),
            *(sell(ALL), publish("confirmed"), *PERSIST),
        ],
    ),
    # A discarded sale's goods were sold to another. A copy of it comes late; the next cold start holds for it again,
    # and who retries it takes what was promised.
    "a discarded sale holds nothing": (
        "more held than there is",
        [
            *(sell(ALL), publish("confirmed"), TIME_PASSES, SWEEP, POISON, ARCHIVE, DISCARD),
            *(sell(ALL), publish("confirmed"), LOOK, ANSWER, POISON, ARCHIVE),
            *(REPUBLISH, *PERSIST, lose("empty"), *WHOLE_COLD_START),
            *(HOLD_FAILED, RETRY, *PERSIST),
        ],
    ),
    # Redis has forgotten that a sale is annulled, and its key sells again.
    "what a discarded sale holds is let go": ("held for nobody", SOLD_AGAIN),
    # The same; whoever tries it again finds the hold, and beat lets it go before that is recorded.
    "nobody lets go what is held again": (
        "queued without a hold",
        [*SOLD_AGAIN, HOLD_FAILED, LET_GO_LATER, RETRY],
    ),
    # Redis falls back, between two steps of a cold start, to a state in which that cold start had the claim already.
    "the server of the claim": (
        "reservado is not the sum of the holds",
        [
            sell(),
            SNAPSHOT,
            lose("falls back"),
            *cold_start(1),
            SNAPSHOT,
            *cold_start(4),
            lose("falls back"),
            *cold_start(1),
        ],
    ),
}
