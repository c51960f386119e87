"""Acts of the shop: ask, ask again, publish, look, answer, die."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch
from uuid import UUID

from cache_stock import reservation, scripts
from cache_stock.reservation import Persisted
from tests.lua.protocol.actors import Request
from tests.lua.protocol.world import (
    PAGO,
    PRODUCTOS,
    SWEEP_AFTER_MS,
    TERMINAL,
    TIENDAS,
    Cart,
    SaleKey,
    World,
    act,
    message_of,
    pedido_of,
    pick_from,
    take_from,
)
from ventas import checkout
from ventas.messages import fingerprint
from ventas.orders import Order, OrderLine, wanted_products
from ventas.publisher import Outcome
from ventas.refusals import CheckoutError, NoDisponible

CARTS: Sequence[Cart] = (
    ((0, 1),),
    ((1, 2),),
    ((0, 1), (1, 1)),
    ((1, 2), (0, 2)),
    ((0, 1), (0, 1)),
    ((1, 3), (0, 1), (1, 1)),
)
WHICH = range(6)
REPLIES = ("kept",) * 12 + ("lost", "lost before it ran")
OUTCOMES = ("confirmed",) * 4 + ("refused", "unknown", "unknown but arrived")


@act(often=2, tienda=TIENDAS, cart=CARTS, reply=REPLIES)
def reserve(world: World, *, tienda: UUID, cart: Cart, reply: str) -> None:
    """A new sale. Both tiendas use the same ids: the same key in two tiendas is two sales."""
    number = sum(key[0] == tienda for key in world.order)
    key = (tienda, UUID(int=number + 1))
    world.order.append(key)
    world.carts[key] = cart
    _ask(world, key, reply)


@act(back=range(5), reply=REPLIES)
def again(world: World, *, back: int, reply: str) -> None:
    """The same sale once more: a double click, a till that retries; a recent one, or one that still waits."""
    waiting: list[SaleKey] = [(request.sale.tienda_id, request.sale.venta_id) for request in world.requests]
    if keys := world.order[-3:] + waiting[:2]:
        _ask(world, pick_from(keys, back), reply)


def _ask(world: World, key: SaleKey, reply: str) -> None:
    tienda, venta = key
    lines = tuple(OrderLine(PRODUCTOS[tienda][which], cantidad) for which, cantidad in world.carts[key])
    if reply != "kept":
        order = Order(
            tienda_id=tienda,
            cajero_id=1,
            terminal_id=TERMINAL,
            venta_id=venta,
            client_key=False,
            metodo_pago=PAGO,
            lines=lines,
            fecha=datetime.fromtimestamp(world.now_ms / 1000, UTC),
            deadline=0,
        )
        _ask_in_vain(world, order, sent=reply == "lost")
        return
    huella = fingerprint(lines=[(line.producto_id, line.cantidad_milli) for line in lines], metodo_pago=PAGO)
    nonce = f"nonce-{world.next_serial()}"
    try:
        held = reservation.reserve(
            tienda_id=tienda,
            venta_id=venta,
            huella=huella,
            nonce=nonce,
            wanted=wanted_products(lines),
            pedido=pedido_of(tienda, world.carts[key]).encode(),
            now_ms=world.now_ms,
            sweep_after_ms=SWEEP_AFTER_MS,
            most_holds=50,
        )
    except reservation.ReservationRefused:
        return
    if isinstance(held, Persisted):
        if "PERSISTIDA" in held.answer:
            world.tell(key, 201)
        return
    world.asked_again(key)
    world.requests.append(Request(message_of(key, huella, held), held, nonce))


def _ask_in_vain(world: World, order: Order, *, sent: bool) -> None:
    """What the product says where the reply to reserve never comes, whether it ran or not."""
    run = scripts.reserve

    def reply_lost(**call: Any) -> list[Any]:
        if sent:
            run(**call)
        raise scripts.ReplyLost

    key = (order.tienda_id, order.venta_id)
    with patch.object(scripts, "reserve", reply_lost):
        try:
            answer = checkout.checkout(order=order)
        except NoDisponible:
            status = 503
        except CheckoutError:
            status = 400
        else:
            status = 201 if answer.promised else 202
    world.asked_again(key)
    world.tell(key, status)


@act(often=2, pick=WHICH, count=(1, 1, 1, 2, 3), outcome=OUTCOMES)
def publish(world: World, *, pick: int, count: int, outcome: str) -> None:
    """The sales that wait together leave in one message; one outcome is that of all."""
    waiting = [request for request in world.requests if request.outcome is None]
    if not waiting:
        return
    first = pick % len(waiting)
    batch = waiting[first : first + count]
    if outcome in {"confirmed", "unknown but arrived"}:
        world.queue.append([request.sale for request in batch])
    for request in batch:
        request.outcome = Outcome(outcome.split(" ", maxsplit=1)[0])


@act(often=1.5, pick=WHICH)
def look(world: World, *, pick: int) -> None:
    """After the confirm: is Redis still armed, and in which epoch?"""
    confirmed = [q for q in world.requests if q.outcome is Outcome.CONFIRMED and not q.looked]
    if confirmed:
        request = pick_from(confirmed, pick)
        request.armed_epoch = reservation.armed_epochs(tiendas=[request.sale.tienda_id])[request.sale.tienda_id]
        request.looked = True


@act(often=2, pick=WHICH, reply=REPLIES)
def answer(world: World, *, pick: int, reply: str) -> None:
    """What the customer hears."""
    ready = [request for request in world.requests if request.ready]
    if not ready:
        return
    request = pick_from(ready, pick)
    world.requests.remove(request)
    assert request.outcome is not None
    decision = checkout.decide(outcome=request.outcome, armed_epoch=request.armed_epoch, hold=request.hold)
    key = (request.sale.tienda_id, request.sale.venta_id)
    if decision is checkout.Decision.PROMISE:
        world.tell(key, 201)
    elif decision is checkout.Decision.RELEASE and _release(request, reply):
        world.tell(key, 503)
    else:
        world.tell(key, 202)


def _release(request: Request, reply: str) -> bool:
    if reply == "lost before it ran":
        return False
    released = reservation.release(
        tienda_id=request.sale.tienda_id, venta_id=request.sale.venta_id, nonce=request.nonce
    )
    return released and reply == "kept"


@act(often=0.5, pick=WHICH)
def api_dies(world: World, *, pick: int) -> None:
    """A web process is killed with one of its requests."""
    if world.requests:
        take_from(world.requests, pick)
