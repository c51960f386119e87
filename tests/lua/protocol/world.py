"""All there is: Redis, PostgreSQL, the queues, who is at work, and what customers were told.

An act is one atomic step with arguments from short lists, so that a history is a list of plain values: it can be drawn
at random, shrunk, printed and replayed. An act that makes no sense at the moment does nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

from cache_stock.reservation import Hold
from cache_stock.rows import Row
from tests.lua.protocol.actors import Adjustment, ColdStart, Request, Retry, Worker
from tests.lua.protocol.postgres import Postgres
from tests.lua.protocol.server import Server
from ventas.messages import Pedido, SaleMessage, read_sale, sale_payload

TIENDAS = (UUID(int=0xA << 64), UUID(int=0xB << 64))
PRODUCTOS = {tienda: (UUID(int=tienda.int + 1), UUID(int=tienda.int + 2)) for tienda in TIENDAS}
FECHA = "2026-01-02T03:04:05+00:00"
START_MS = 1_767_323_045_000  # the same moment
TERMINAL = UUID(int=7)
PAGO = "EFECTIVO"
LEASE_MS = 40
SWEEP_AFTER_MS = 2

Cart = tuple[tuple[int, int], ...]  # (which product, thousandths), one a line
SaleKey = tuple[UUID, UUID]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Act:
    """One kind of step: what it does, for each argument the values it may have, and how often it usually comes."""

    do: Callable[..., None]
    choices: Mapping[str, Sequence[Any]]
    often: float


ACTS: dict[str, Act] = {}


def act(*, often: float = 1, **choices: Sequence[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a function of the world an act; the name is the function's."""

    def register(do: Callable[..., None]) -> Callable[..., None]:
        ACTS[do.__name__] = Act(do, choices, often)
        return do

    return register


class World:
    """`without`: rules that the machine stands for, and that are taken out."""

    def __init__(self, server: Server, without: frozenset[str] = frozenset()) -> None:
        self.server = server
        self.without = without
        self.postgres = Postgres(PRODUCTOS, without)
        self.now_ms = START_MS
        self.serial = 0
        self.carts: dict[SaleKey, Cart] = {}
        self.order: list[SaleKey] = []
        self.requests: list[Request] = []
        self.queue: list[list[SaleMessage]] = []
        self.dead: list[SaleMessage] = []  # queue.sales.failed
        self.workers: list[Worker] = []
        self.claimed: list[SaleMessage] = []  # by the sweep, not published yet
        self.adjustments: list[Adjustment] = []
        self.retries: list[Retry] = []
        self.warmups: list[tuple[UUID, Row]] = []
        self.snapshots: list[dict[str, Any]] = []
        self.starts = (ColdStart(), ColdStart())
        self.told: dict[SaleKey, int] = {}
        self.lost = 0  # how often Redis lost something: versions seen before no longer count
        self.loading: set[UUID] = set()  # tiendas between clear and arm

    def next_serial(self) -> int:
        self.serial += 1
        return self.serial

    def tell(self, key: SaleKey, status: int) -> None:
        """A 201 once given stays; else the last answer counts."""
        self.told[key] = 201 if 201 in {status, self.told.get(key)} else status

    def asked_again(self, key: SaleKey) -> None:
        """What was said before, short of a promise, no longer counts."""
        if self.told.get(key) != 201:
            self.told.pop(key, None)

    def drained(self) -> bool:
        """What a broker's counters can show: a zombie's message is somebody else's by now."""
        return not (self.queue or self.dead or any(not worker.zombie for worker in self.workers))

    def armed(self) -> bool:
        """Whether every tienda may promise stock."""
        return all(seen.epoch is not None for seen in self.server.look().values())

    def in_flight(self) -> list[SaleMessage]:
        """Every sale that may still be written by a message."""
        sales = [sale for message in self.queue for sale in message]
        sales += [sale for worker in self.workers if not worker.wrote for sale in worker.message]
        return sales + self.dead + self.claimed + [request.sale for request in self.requests if request.outcome is None]


def pick_from(items: Sequence[Item], pick: int) -> Item:
    """One of them; the numbers are those of acts."""
    return items[pick % len(items)]


def take_from(items: list[Item], pick: int) -> Item:
    """The same, and it is gone from them."""
    return items.pop(pick % len(items))


def lines_of(tienda: UUID, cart: Cart) -> tuple[tuple[str, int], ...]:
    """The lines of a cart as a pedido has them."""
    return tuple((str(PRODUCTOS[tienda][which]), cantidad) for which, cantidad in cart)


def pedido_of(tienda: UUID, cart: Cart) -> Pedido:
    return Pedido(FECHA, 1, str(TERMINAL), PAGO, lines_of(tienda, cart))


def message_of(key: SaleKey, huella: str, hold: Hold) -> SaleMessage:
    """The sale as it travels, through the product's own encoding."""
    tienda, venta = key
    payload, _total = sale_payload(
        tienda_id=tienda,
        venta_id=venta,
        huella=huella,
        epoch=hold.epoch,
        pedido=Pedido.decode(hold.pedido),
        products=hold.products,
    )
    return read_sale(payload)
