"""The end of a history: what was in flight arrives or not, and everything comes to rest."""

from uuid import UUID

from cache_stock.rows import Row
from tests.lua.protocol.actors import ColdStart
from tests.lua.protocol.losing import cold_start, lease_runs_out
from tests.lua.protocol.postgres import Violation
from tests.lua.protocol.server import Started
from tests.lua.protocol.stocking import adjust, carry
from tests.lua.protocol.world import PRODUCTOS, TIENDAS, World
from tests.lua.protocol.writing import (
    archive,
    deliver,
    discard,
    hold_failed,
    let_go_later,
    open_failures,
    retry,
    sweep,
    work,
)

ROUNDS = 20
STEPS_OF_A_COLD_START = 40


def start(world: World) -> None:
    """Armed and warm. The first world of a link gets there by its cold start; later ones begin where it ended."""
    link = world.server.link
    if link.started is None:
        world.server.empty()
        arm_and_warm(world)
        link.started = Started(world.server.snapshot(), world.serial, world.now_ms)
        return
    world.server.start_from(link.started)
    world.serial, world.now_ms = link.started.serial, link.started.now_ms
    for tables in world.postgres.tables.values():
        tables.epoch += 1


def come_to_rest(world: World) -> None:
    """Nobody dies any more. Raises Violation where it does not come to rest."""
    world.queue += [[request.sale] for request in world.requests[::2]]
    world.requests.clear()
    for _ in range(ROUNDS):
        _finish_messages(world)
        arm_and_warm(world)
        _finish_holds(world)
        if world.drained() and not world.adjustments and not open_failures(world) and _nothing_held(world):
            arm_and_warm(world)
            return
    raise Violation("it never comes to rest")


def _finish_messages(world: World) -> None:
    world.queue += [[sale] for sale in world.claimed]
    world.claimed.clear()
    while world.queue or world.workers:
        deliver(world, pick=0)
        while world.workers:
            work(world, pick=0, redis="there")
    archive(world, dies=False)


def arm_and_warm(world: World) -> None:
    """A cold start that nobody disturbs, and a warmup of everything."""
    for _ in range(3):
        world.starts = (ColdStart(), world.starts[1])
        lease_runs_out(world)
        for _step in range(STEPS_OF_A_COLD_START):
            cold_start(world, which=0)
            if world.starts[0].stage == "idle" and world.armed():
                break
        warmed = [_warm(world, tienda) for tienda in TIENDAS]
        if all(warmed):
            return
    raise Violation("it can't be armed")


def _warm(world: World, tienda: UUID) -> bool:
    tables = world.postgres.tables[tienda]
    return carry(world, tienda, *(Row(*tables.row(name)) for name in PRODUCTOS[tienda]))


def _finish_holds(world: World) -> None:
    world.now_ms += 1000
    for tienda in TIENDAS:
        sweep(world, tienda=tienda)
    while world.adjustments:
        adjust(world, pick=0)
    world.retries.clear()  # they held it, and died before that was recorded
    let_go_later(world)
    _nothing_held_for_nobody(world)
    _finish_failures(world)


def _nothing_held_for_nobody(world: World) -> None:
    """Whatever a supervisor decides next."""
    seen = world.server.look()
    for tienda, tables in world.postgres.tables.items():
        if any(
            failed.discarded and not failed.con_reserva and venta in seen[tienda].holds
            for venta, failed in tables.failed.items()
        ):
            raise Violation("held for nobody")


def _finish_failures(world: World) -> None:
    """Each failed sale is tried again. One that somebody was promised, or that holds stock, can be written."""
    for _ in range(ROUNDS):
        if not (failures := open_failures(world)):
            return
        sale, holds = failures[0].sale, failures[0].con_reserva
        if failures[0].discarded:
            discard(world, pick=0, goods_came_back=True, redis="there")
            continue
        world.retries.clear()
        hold_failed(world, pick=0)
        retry(world, pick=0, outcome="confirmed")
        _finish_messages(world)
        if sale.venta_id not in world.postgres.tables[sale.tienda_id].sales:
            if world.told.get((sale.tienda_id, sale.venta_id)) == 201:
                raise Violation("told 201, and it can't be written")
            if holds:
                raise Violation("a failed sale that holds stock can't be written")
            discard(world, pick=0, goods_came_back=True, redis="there")


def _nothing_held(world: World) -> bool:
    return not any(seen.holds for seen in world.server.look().values())
