"""Those who can die between any two steps: a request, a worker, an adjustment, a cold start."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from cache_stock.arming import Claim
from cache_stock.reservation import Hold, LiveHold
from inventario.ledger import StockBalance
from tests.lua.protocol.postgres import Failed
from ventas.messages import SaleMessage
from ventas.persistence import Verdict, Written
from ventas.publisher import Outcome


@dataclass(slots=True)
class Request:
    """One POST that holds its sale. Published, looked at, answered."""

    sale: SaleMessage
    hold: Hold
    nonce: str
    outcome: Outcome | None = None
    armed_epoch: int | None = None
    looked: bool = False

    @property
    def ready(self) -> bool:
        """Whether there is no more to learn before the answer."""
        return self.outcome is not None and (self.looked or self.outcome is not Outcome.CONFIRMED)


@dataclass(slots=True)
class Worker:
    """Writes a message, settles one tienda after another, acks. A zombie lost its message to another worker."""

    message: list[SaleMessage]
    zombie: bool = False
    wrote: bool = False
    to_settle: list[Written] = field(default_factory=list)
    balances: dict[UUID, StockBalance] | None = None

    def settle_later(self, written: Written) -> None:
        """One settlement a tienda."""
        verdict = written.verdict
        self.wrote = True
        for tienda in sorted({sale.tienda_id for sale in self.message}):
            mine = Verdict(
                [sale for sale in verdict.fresh if sale.tienda_id == tienda],
                [sale for sale in verdict.known if sale.tienda_id == tienda],
                [(sale, motivo) for sale, motivo in verdict.failed if sale.tienda_id == tienda],
            )
            self.to_settle.append(Written(mine, written.balances, written.timeline, written.epochs))

    @property
    def done(self) -> bool:
        return self.wrote and not self.to_settle


@dataclass(slots=True)
class Adjustment:
    """Stock that goes out: held, written once, settled."""

    hold: LiveHold
    balances: Mapping[UUID, tuple[int, int]] | None = None


@dataclass(slots=True)
class Retry:
    """A supervisor's retry of a failed sale: held, then tried again."""

    failed: Failed
    discards: int
    nonce: str
    hold: Hold | None


@dataclass(slots=True)
class ColdStart:
    """What one cold start knows. Its next step is `stage`."""

    stage: str = "idle"
    token: str = ""
    claims: list[Claim] = field(default_factory=list)
    seen_epochs: dict[UUID, int] = field(default_factory=dict)
    truth: object = None
    discarded: list[tuple[UUID, str]] = field(default_factory=list)
