"""Who buys, all the while: several tills of two tiendas, each cart under a key of its own, every answer kept."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal
from http import HTTPStatus
from uuid import UUID, uuid4

import urllib3

from tests.pipeline.shop import Shop
from tests.pipeline.till import Lines, Reply, Till

TILLS = 4
PACE_S = 0.4  # between two carts of a till, at most: the grounds beside this one need the machine too
TRIES = 40  # of one cart, until its till gives up: then its customer has left
GIVES_UP = 0.1  # how often a till does not ask again at all
CANTIDADES = (1, 1, 1, 2, 0.5, 1.25)
PROMISED_S = 2.0
SCARCE = 2  # of each tienda's products, so many are nearly sold out


@dataclass(frozen=True, slots=True)
class Asked:
    """One request and its answer; `status` None: none came. Moments are time.monotonic()."""

    at: float
    until: float
    status: int | None
    codigo: str
    retry_after: bool = True
    total: object = None


@dataclass(slots=True)
class Cart:
    """One cart, and everything that was answered about it."""

    shop: Shop
    key: UUID
    lines: Lines
    asked: list[Asked] = field(default_factory=list)

    @property
    def promised(self) -> bool:
        return any(each.status == HTTPStatus.CREATED for each in self.asked)

    @property
    def quantities(self) -> dict[UUID, Decimal]:
        """What it takes of each product."""
        sums: dict[UUID, Decimal] = {}
        for producto, cantidad in self.lines:
            sums[producto] = sums.get(producto, Decimal(0)) + Decimal(str(cantidad))
        return sums

    @property
    def total(self) -> Decimal:
        """What it costs: each line rounded half up to a cent."""
        prices = self.shop.precios
        lines = (Decimal(str(cantidad)) * prices[producto] for producto, cantidad in self.lines)
        return sum((line.quantize(Decimal(1), ROUND_HALF_UP) for line in lines), Decimal(0)) / 100


@dataclass(slots=True)
class Customers:
    """Carts of all tiendas, dealt by a seed; `url` is the web server's. Those before `first` are of earlier cases."""

    shops: list[Shop]
    url: str
    seed: str
    carts: list[Cart] = field(default_factory=list)
    first: int = 0
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=32, retries=False))

    def till(self, shop: Shop, rol: str = "cajero") -> Till:
        return Till(self.url, shop.seats[0].tokens[rol], pool=self.pool)

    @contextmanager
    def buying(self, *, tills: int = TILLS, pace_s: float = PACE_S) -> Iterator[None]:
        """Customers come as long as the block runs."""
        stop = threading.Event()
        with ThreadPoolExecutor(tills) as threads:
            running = [threads.submit(self._serve, number, stop, pace_s) for number in range(tills)]
            try:
                yield
            finally:
                stop.set()
            for thread in running:
                thread.result()

    def wait_for(self, count: int, *, status: int | None = HTTPStatus.CREATED, timeout_s: float = 60) -> float:
        """Wait until so many more requests that began from now on were answered so; how many seconds it took."""
        since = time.monotonic()
        while time.monotonic() - since < timeout_s:
            found = sum(1 for each in self._asked_since(since) if status is None or each.status == status)
            if found >= count:
                return time.monotonic() - since
            time.sleep(0.02)
        raise AssertionError(f"not {count} answers of {status or 'any status'} within {timeout_s:g} s")

    def promised_since(self, moment: float) -> int:
        """How many requests that began later were answered 201."""
        return sum(1 for each in self._asked_since(moment) if each.status == HTTPStatus.CREATED)

    def _asked_since(self, moment: float) -> Iterator[Asked]:
        """The requests of this case that began later."""
        for cart in self.carts[self.first :]:
            yield from (each for each in list(cart.asked) if each.at >= moment)

    def _serve(self, number: int, stop: threading.Event, pace_s: float) -> None:
        draw = random.Random(f"{self.seed}/till {number}")
        shop = self.shops[number % len(self.shops)]
        till = self.till(shop)
        while not stop.is_set():
            chosen = draw.sample(shop.products, draw.randint(1, 3))
            cart = Cart(shop, uuid4(), [(producto, draw.choice(CANTIDADES)) for producto in chosen])
            self.carts.append(cart)
            self._sell(till, cart, draw, stop)
            stop.wait(pace_s * draw.random())

    def _sell(self, till: Till, cart: Cart, draw: random.Random, stop: threading.Event) -> None:
        """As a till does: the same key again where nobody knows, and where it is told to come again."""
        for _number in range(TRIES):
            answer = ask(till, cart)
            if answer.status in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED, HTTPStatus.BAD_REQUEST}:
                return
            if draw.random() < GIVES_UP or stop.wait(0.1):
                return


def ask(till: Till, cart: Cart) -> Asked:
    """Post the cart once, and keep what came of it."""
    at = time.monotonic()
    status, codigo, retry_after, total = None, "", True, None
    try:
        reply: Reply = till.sell(cart.lines, key=cart.key).reply
        status = reply.status
        retry_after = "retry-after" in reply.headers
        if isinstance(reply.body, dict):
            codigo, total = reply.body.get("codigo", ""), reply.body.get("total")
    except urllib3.exceptions.HTTPError:
        pass  # the server was killed, or is frozen: no answer is what there is
    answer = Asked(at, time.monotonic(), status, codigo, retry_after, total)
    cart.asked.append(answer)
    return answer
