"""What each script costs Redis, by Redis' own clock, with few live holds and with many.

`python -m bench.probes.journal TIENDA HOLDS` prints {"quiet": {script: µs a call}, "full": {…}} as JSON, medians of
GROUPS groups of calls, and leaves the tienda as it was. Those of a cold start are not among them: it begins with an
empty journal.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from statistics import median
from uuid import UUID, uuid4

from django.conf import settings

from cache_stock import reservation, scripts, warmup
from inventario.models import Producto

GROUPS = 15
CALLS = 50
LINES = 4
A_CALL = 100  # holds that one call settles or claims
HUELLA = "0" * 64
NONCE = "bench"
LATER_MS = 3_600_000  # when the sweep would look: not while this runs
Costs = dict[str, list[float]]


@dataclass(slots=True)
class Holder:
    """Holds and lets go; `carts` are LINES products each, without end. `taken`: what hold() held last."""

    tienda_id: UUID
    carts: Iterator[Sequence[UUID]]
    balances: Sequence[reservation.Balance]
    taken: Sequence[UUID] = ()

    def hold(self, count: int) -> None:
        """So many sales, a call each."""
        self.taken = [uuid4() for _ in range(count)]
        for venta in self.taken:
            now_ms = int(time.time() * 1000)
            reservation.reserve(
                tienda_id=self.tienda_id,
                venta_id=venta,
                huella=HUELLA,
                nonce=NONCE,
                wanted=[reservation.Wanted(producto, 1000) for producto in next(self.carts)],
                pedido="{}",
                now_ms=now_ms,
                sweep_after_ms=LATER_MS,
                most_holds=settings.HOLDS_MAX_PER_TIENDA,
            )

    def look(self, count: int) -> None:
        """What is there of so many carts, a call each."""
        for _cart in range(count):
            reservation.available(tienda_id=self.tienda_id, productos=next(self.carts))

    def release(self, ventas: Sequence[UUID]) -> None:
        """Give them back, a call each."""
        for venta in ventas:
            reservation.release(tienda_id=self.tienda_id, venta_id=venta, nonce=NONCE)

    def fail(self, ventas: Sequence[UUID]) -> None:
        """Keep them as failed, a call each."""
        for venta in ventas:
            reservation.keep_failed(tienda_id=self.tienda_id, venta_id=venta, huella=HUELLA)

    def claim(self) -> None:
        """What would be overdue in two hours, one call."""
        reservation.claim_overdue(
            tienda_id=self.tienda_id,
            now_ms=int(time.time() * 1000) + 2 * LATER_MS,
            first_pause_ms=LATER_MS,
            longest_pause_ms=LATER_MS,
            most=A_CALL,
        )

    def settle(self, ventas: Sequence[UUID]) -> None:
        """Let them go with the balances as they are, one call for A_CALL of them."""
        for start in range(0, len(ventas), A_CALL):
            sales = [reservation.SettledSale(venta, HUELLA) for venta in ventas[start : start + A_CALL]]
            reservation.settle(
                tienda_id=self.tienda_id, sales=sales, balances=self.balances, answer_ttl_s=settings.ANSWER_TTL_S
            )

    def warm(self) -> None:
        """All its products."""
        warmup.warm_tienda(tienda_id=self.tienda_id, now_ms=int(time.time() * 1000))


def measure(holder: Holder) -> Costs:
    """What a call of each script costs, µs, a figure for each of GROUPS."""
    costs: Costs = {}

    def timed(name: str, act: Callable[[], object]) -> None:
        calls, spent = _script_calls()
        act()
        more_calls, more_spent = _script_calls()
        costs.setdefault(name, []).append((more_spent - spent) / (more_calls - calls))

    for _group in range(GROUPS):
        timed("reserve", partial(holder.hold, CALLS))
        timed("check", partial(holder.look, CALLS))
        timed("release", partial(holder.release, holder.taken))
        holder.hold(A_CALL)
        timed("sweep", holder.claim)
        timed("fail", partial(holder.fail, holder.taken))
        timed("settle", partial(holder.settle, holder.taken))
        timed("warmup", holder.warm)
    return costs


def medians(costs: Costs) -> dict[str, float]:
    return {name: median(each) for name, each in costs.items()}


def _script_calls() -> tuple[int, int]:
    """How many scripts this Redis has run, and for how long, µs."""
    seen = scripts.stock_client().info("commandstats")["cmdstat_evalsha"]
    return seen["calls"], seen["usec"]


def main() -> None:
    """First as it is, then with so many holds, then as it is again."""
    tienda_id, holds = UUID(sys.argv[1]), int(sys.argv[2])
    found = Producto.objects.filter(tienda=tienda_id).order_by("id").values_list("pk", "stock_actual", "version")
    balances = [reservation.Balance(pk, int(saldo * 1000), version) for pk, saldo, version in found]
    endless = cycle([balance.producto_id for balance in balances])
    carts = iter(lambda: list(islice(endless, LINES)), None)
    holder = Holder(tienda_id, carts, balances)
    before = measure(holder)
    holder.hold(holds)
    ventas = holder.taken
    full = measure(holder)
    holder.settle(ventas)
    after = measure(holder)
    quiet = {name: before[name] + after[name] for name in before}
    print(json.dumps({"quiet": medians(quiet), "full": medians(full)}))


if __name__ == "__main__":
    main()
