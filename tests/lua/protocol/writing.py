"""Acts behind the queue: workers, the sweep, failed sales."""

from collections.abc import Sequence
from uuid import UUID

from cache_stock import journal, keys, reservation
from cache_stock.reservation import Balance, Hold, SettledSale, Wanted
from tests.lua.protocol.actors import Adjustment, Retry, Worker
from tests.lua.protocol.postgres import OPEN, TIMELINE, Failed, quantities
from tests.lua.protocol.selling import OUTCOMES, WHICH
from tests.lua.protocol.world import SWEEP_AFTER_MS, TIENDAS, World, act, message_of, pick_from, take_from
from ventas import persistence
from ventas.messages import SaleMessage, hold_of
from ventas.models import EstadoFalla, MotivoFalla
from ventas.recovery import ANNULLED

MOST_WORKERS = 3
BACKLOG = 6
TTL_S = 1000
REDIS = ("there",) * 8 + ("away",)


@act(often=2, pick=WHICH)
def deliver(world: World, *, pick: int) -> None:
    if world.queue and len(world.workers) < MOST_WORKERS:
        world.workers.append(Worker(take_from(world.queue, pick)))


@act(often=4, pick=WHICH, redis=REDIS)
def work(world: World, *, pick: int, redis: str) -> None:
    """A worker's next step; where Redis is away it leaves the settling to the sweep, and acks."""
    if not world.workers:
        return
    worker = pick_from(world.workers, pick)
    if not worker.wrote:
        _write(world, worker)
    elif worker.to_settle:
        written = worker.to_settle.pop(0)
        if redis == "there":
            persistence.settle(written=written)
    if worker.done:
        world.workers.remove(worker)


def _write(world: World, worker: Worker) -> None:
    """The transaction; where that rule is out, its balances were read in a step before."""
    if "balances" in world.without and worker.balances is None:
        worker.balances = world.postgres.balances(worker.message)
        return
    written = world.postgres.write(worker.message)
    if worker.balances is not None:
        written.balances = worker.balances
    worker.settle_later(written)


@act(often=0.4, pick=WHICH)
def kill(world: World, *, pick: int) -> None:
    """A worker dies; the broker gives its message to another."""
    if world.workers:
        worker = take_from(world.workers, pick)
        if not worker.zombie:
            world.queue.append(list(worker.message))


@act(often=0.3, pick=WHICH)
def lose_touch(world: World, *, pick: int) -> None:
    """A worker's connection to the broker breaks: its message goes to another, and it goes on all the same."""
    working = [worker for worker in world.workers if not worker.zombie]
    if working and len(world.workers) < MOST_WORKERS:
        worker = pick_from(working, pick)
        worker.zombie = True
        world.queue.append(list(worker.message))


@act(often=0.5, tienda=TIENDAS)
def sweep(world: World, *, tienda: UUID) -> None:
    """Claim what is overdue; sales are published in steps of their own, adjustments completed."""
    if len(world.queue) + len(world.claimed) > BACKLOG:
        return
    claimed = reservation.claim_overdue(
        tienda_id=tienda, now_ms=world.now_ms, first_pause_ms=1, longest_pause_ms=4, most=5
    )
    for hold in claimed:
        if hold.pedido == "ajuste":
            world.adjustments.append(Adjustment(hold))
        else:
            held = Hold(False, hold.epoch, hold.pedido, hold.products)
            world.claimed.append(message_of((tienda, hold.venta_id), hold.huella, held))


@act(pick=WHICH, arrives=(True, True, True, False))
def republish(world: World, *, pick: int, arrives: bool) -> None:
    """The sweep publishes, maybe long after the claim, maybe never."""
    if world.claimed:
        sale = take_from(world.claimed, pick)
        if arrives:
            world.queue.append([sale])


@act(often=0.2, pick=WHICH)
def poison(world: World, *, pick: int) -> None:
    """A sale fails its last attempt: queue.sales.failed."""
    if world.queue:
        *others, sale = take_from(world.queue, pick)
        world.dead.append(sale)
        if others:
            world.queue.append(others)


@act(often=0.5, dies=(False, False, True))
def archive(world: World, *, dies: bool) -> None:
    """Failed sales become VentaFallida; the message goes only after the hold is marked."""
    while world.dead:
        sale = world.dead[0]
        tables = world.postgres.tables[sale.tienda_id]
        if sale.venta_id not in tables.sales:
            stale = sale.epoch != tables.epoch and "archived epoch" not in world.without
            motivo = MotivoFalla.EPOCA if stale else MotivoFalla.INTENTOS
            tables.record_failed(sale, motivo, con_reserva=not stale)
            if dies:
                return
            if not stale:
                reservation.keep_failed(tienda_id=sale.tienda_id, venta_id=sale.venta_id, huella=sale.huella)
        world.dead.pop(0)


def open_failures(world: World) -> list[Failed]:
    """What a supervisor sees."""
    return [
        failed for rows in world.postgres.tables.values() for failed in rows.failed.values() if failed.estado in OPEN
    ]


@act(often=0.3, pick=WHICH)
def hold_failed(world: World, *, pick: int) -> None:
    """A supervisor wants a failed sale tried again: first it is held, under the epoch of now.

    Not where its goods were written off: what it held is gone from the stock already.
    """
    waiting = [
        failed
        for failed in open_failures(world)
        if failed.sale.venta_id not in world.postgres.tables[failed.sale.tienda_id].operations
        and all(failed is not retry.failed for retry in world.retries)
    ]
    if not waiting:
        return
    failed = pick_from(waiting, pick)
    nonce = f"retry-{world.next_serial()}"
    if "hold before retry" in world.without:
        failed.estado, failed.con_reserva = EstadoFalla.REINTENTADA, True
        world.retries.append(Retry(failed, failed.discards, nonce, None))
        return
    if (hold := _hold_again(world, failed.sale, nonce)) is not None:
        world.retries.append(Retry(failed, failed.discards, nonce, hold))


@act(often=0.5, pick=WHICH, outcome=OUTCOMES)
def retry(world: World, *, pick: int, outcome: str) -> None:
    """Then it is recorded as held, unless a cold start took the hold or somebody decided otherwise; and published."""
    if not world.retries:
        return
    claimed = take_from(world.retries, pick)
    failed, sale = claimed.failed, claimed.failed.sale
    hold = claimed.hold or _hold_again(world, sale, claimed.nonce)
    if hold is None:
        return
    overtaken = hold.epoch != world.postgres.tables[sale.tienda_id].epoch and "epoch of a retry" not in world.without
    if overtaken or failed.estado not in OPEN or failed.discards != claimed.discards:
        return  # what it holds is let go by whoever decided otherwise: its stock may be written off already
    failed.estado, failed.con_reserva = EstadoFalla.REINTENTADA, True
    if outcome in {"confirmed", "unknown but arrived"}:
        world.queue.append([message_of((sale.tienda_id, sale.venta_id), sale.huella, hold)])
    elif outcome == "refused":
        failed.estado = EstadoFalla.ABIERTA
        reservation.keep_failed(tienda_id=sale.tienda_id, venta_id=sale.venta_id, huella=sale.huella)


def _hold_again(world: World, sale: SaleMessage, nonce: str) -> Hold | None:
    pedido, products = hold_of(sale)
    try:
        held = reservation.reserve(
            tienda_id=sale.tienda_id,
            venta_id=sale.venta_id,
            huella=sale.huella,
            nonce=nonce,
            wanted=[Wanted(product.producto_id, product.cantidad_milli) for product in products],
            pedido=pedido.encode(),
            now_ms=world.now_ms,
            sweep_after_ms=SWEEP_AFTER_MS,
            most_holds=50,
            only_active=False,
        )
    except reservation.ReservationRefused:
        return None
    if not isinstance(held, Hold):
        if "PERSISTIDA" in held.answer:
            return None
        world.server.client.delete(keys.answer(sale.tienda_id, sale.venta_id))
        return _hold_again(world, sale, nonce)
    journal.sweep_again(tienda_id=sale.tienda_id, venta_id=sale.venta_id, at_ms=world.now_ms + SWEEP_AFTER_MS)
    return held


@act(often=0.15, pick=WHICH, goods_came_back=(True, False), redis=REDIS)
def discard(world: World, *, pick: int, goods_came_back: bool, redis: str) -> None:
    """A tombstone first, with the loss of goods that did not come back; then the hold goes."""
    if not (failures := open_failures(world)):
        return
    failed = pick_from(failures, pick)
    sale = failed.sale
    tables = world.postgres.tables[sale.tienda_id]
    if sale.venta_id in tables.sales:
        return
    if not goods_came_back and sale.venta_id not in tables.operations:
        held = reservation.is_held(tienda_id=sale.tienda_id, venta_id=sale.venta_id)
        if not held or not failed.con_reserva:
            return
        tables.operations.add(sale.venta_id)
        for producto, cantidad in quantities(sale).items():
            tables.move(producto, -cantidad)
    failed.estado = EstadoFalla.DESCARTADA
    failed.discards += 1
    if redis == "there":
        let_go(world, [sale])


@act(often=0.2)
def let_go_later(world: World) -> None:
    """Beat lets go what failed sales still hold that are discarded or written: the settlement was lost, or a discarded
    key sold again. Not while somebody who holds one again has not recorded it yet: then it waits for him."""
    tried = [] if "lock of a retry" in world.without else [retry.failed for retry in world.retries]
    for rows in world.postgres.tables.values():
        done = [failed for failed in rows.failed.values() if _holds_nothing(world, failed)]
        held = [f for f in done if reservation.is_held(tienda_id=f.sale.tienda_id, venta_id=f.sale.venta_id)]
        let_go(world, [failed.sale for failed in held if all(failed is not other for other in tried)])


def _holds_nothing(world: World, failed: Failed) -> bool:
    again = failed.discarded and not failed.con_reserva and "let go again" not in world.without
    return failed.estado not in OPEN or again


def let_go(world: World, sales: Sequence[SaleMessage]) -> None:
    for sale in sales:
        tables = world.postgres.tables[sale.tienda_id]
        answer = persistence.kept_answer(sale) if sale.venta_id in tables.sales else ANNULLED
        reservation.settle(
            tienda_id=sale.tienda_id,
            sales=[SettledSale(sale.venta_id, sale.huella, answer)],
            balances=[Balance(producto, *tables.balance(producto)) for producto in quantities(sale)],
            answer_ttl_s=TTL_S,
            timeline=TIMELINE,
        )
