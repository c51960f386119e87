"""Acts of loss, and the cold starts after it."""

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

from cache_stock import arming, keys, reservation, scripts
from cache_stock.reservation import SettledSale
from cache_stock.rows import Row, Snapshot
from tests.lua.protocol.actors import ColdStart
from tests.lua.protocol.postgres import OPEN, TIMELINE
from tests.lua.protocol.selling import WHICH
from tests.lua.protocol.stocking import PRODUCTO, carry
from tests.lua.protocol.world import LEASE_MS, PRODUCTOS, TIENDAS, World, act, pick_from
from tests.lua.protocol.writing import archive
from ventas import persistence
from ventas.messages import hold_of
from ventas.models import EstadoFalla
from ventas.recovery import ANNULLED

MOST_SNAPSHOTS = 3


@act()
def snapshot(world: World) -> None:
    """The append-only file reaches the disk."""
    world.snapshots = [*world.snapshots, world.server.snapshot()][-MOST_SNAPSHOTS:]


@act(often=0.15, how=("falls back", "falls back", "empty", "flushed by hand", "restarts"), pick=WHICH)
def lose(world: World, *, how: str, pick: int) -> None:
    """Redis comes back with less, with nothing, or with all of it: always as another server, unless by hand."""
    if how == "falls back":
        if not world.snapshots:
            return
        world.server.restore(pick_from(world.snapshots, pick))
    elif how != "restarts":
        world.server.empty()
    if how != "flushed by hand":
        world.server.become_another()
    world.snapshots = []
    world.lost += 1
    world.loading.clear()


@act(often=0.08, tienda=TIENDAS, producto=PRODUCTO)
def lose_product(world: World, *, tienda: UUID, producto: int) -> None:
    """One stock hash is gone, whoever took it."""
    world.server.client.delete(keys.stock(tienda, PRODUCTOS[tienda][producto]))


@act(often=0.2)
def lease_runs_out(world: World) -> None:
    """A cold start stops for longer than its lease, and may go on later."""
    world.now_ms += LEASE_MS


@act(often=5, which=(0, 1))
def cold_start(world: World, *, which: int) -> None:
    """The next step of one of two schedulers that may do it at once."""
    start = world.starts[which]
    if start.stage == "idle" and world.armed():
        return
    try:
        _STEPS[start.stage](world, start)
    except arming.LeftToAnother:
        _next_tienda(start)


@act(often=0.1, which=(0, 1))
def cold_start_dies(world: World, *, which: int) -> None:
    start = world.starts[which]
    start.stage, start.claims = "idle", []


def _begin(world: World, start: ColdStart) -> None:
    armed = reservation.armed_epochs(tiendas=TIENDAS)
    start.token = f"token-{world.next_serial()}"
    start.seen_epochs = {tienda: world.postgres.tables[tienda].epoch for tienda in TIENDAS if armed[tienda] is None}
    claims = (
        arming.claim(tienda_id=tienda, token=start.token, now_ms=world.now_ms, lease_ms=LEASE_MS)
        for tienda in start.seen_epochs
    )
    start.claims = [claim for claim in claims if claim is not None]
    start.stage = "drain" if start.claims else "idle"


def _drain(world: World, start: ColdStart) -> None:
    if world.drained() or "drain" in world.without:
        start.stage = "renew"
        return
    archive(world, dies=False)
    for claim in start.claims:
        arming.claim(tienda_id=claim.tienda_id, token=claim.token, now_ms=world.now_ms, lease_ms=LEASE_MS)


def _renew(world: World, start: ColdStart) -> None:
    if "token" not in world.without:
        arming._renew(start.claims[0], world.now_ms)
    start.stage = "read"


def _read_truth(world: World, start: ColdStart) -> None:
    """One transaction, under the exclusive lock; the epoch goes up from what was seen, or not at all."""
    claim = start.claims[0]
    tables = world.postgres.tables[claim.tienda_id]
    if tables.epoch != start.seen_epochs[claim.tienda_id] and "token" not in world.without:
        raise arming.LeftToAnother
    tables.epoch += 1
    rows = [tables.row(producto) for producto in tables.productos]
    products = Snapshot([" ".join(row[0] for row in rows)], array("q", [number for row in rows for number in row[1:]]))
    failed_holds = []
    for failed in tables.failed.values():
        if failed.con_reserva and failed.estado in OPEN:
            failed.estado = EstadoFalla.ABIERTA
            pedido, held = hold_of(failed.sale)
            lines = reservation.format_lines(held)
            failed_holds.append(arming.FailedHold(failed.sale.venta_id, failed.sale.huella, pedido.encode(), lines))
    start.truth = arming._Truth(tables.epoch, TIMELINE, datetime.now(UTC), products, failed_holds)
    start.stage = "clear"


def _clear(world: World, start: ColdStart) -> None:
    world.loading.add(start.claims[0].tienda_id)
    arming._clear(start.claims[0])
    start.stage = "load"


def _load(world: World, start: ColdStart) -> None:
    arming._load(start.claims[0], _truth(start).products, world.now_ms, None)
    start.stage = "hold again"


def _hold_again(world: World, start: ColdStart) -> None:
    arming._hold_again(start.claims[0], _truth(start), world.now_ms)
    start.stage = "remember"


def _remember(world: World, start: ColdStart) -> None:
    tienda = start.claims[0].tienda_id
    arming._remember(tienda, _answers(world, tienda))
    start.stage = "arm"


def _answers(world: World, tienda: UUID) -> Iterator[SettledSale]:
    tables = world.postgres.tables[tienda]
    for sale in tables.sales.values():
        yield SettledSale(sale.venta_id, sale.huella, persistence.kept_answer(sale))
    for venta in tables.tombstones():
        yield SettledSale(venta, tables.failed[venta].sale.huella, ANNULLED)


def _arm(world: World, start: ColdStart) -> None:
    claim, truth = start.claims[0], _truth(start)
    if not scripts.arm(keys=[keys.meta(claim.tienda_id)], arguments=[*claim.arguments, truth.epoch, truth.timeline]):
        raise arming.LeftToAnother
    world.loading.discard(claim.tienda_id)
    start.stage = "carry the rest"


def _carry_the_rest(world: World, start: ColdStart) -> None:
    """What was committed after the balances were read."""
    tienda = start.claims[0].tienda_id
    for producto in PRODUCTOS[tienda]:
        carry(world, tienda, Row(*world.postgres.tables[tienda].row(producto)))
    _next_tienda(start)


def _next_tienda(start: ColdStart) -> None:
    start.claims = start.claims[1:]
    start.stage = "renew" if start.claims else "idle"


def _truth(start: ColdStart) -> arming._Truth:
    assert isinstance(start.truth, arming._Truth)
    return start.truth


_STEPS = {
    "idle": _begin,
    "drain": _drain,
    "renew": _renew,
    "read": _read_truth,
    "clear": _clear,
    "load": _load,
    "hold again": _hold_again,
    "remember": _remember,
    "arm": _arm,
    "carry the rest": _carry_the_rest,
}
