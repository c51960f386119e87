"""What comes twice, what is no sale, what is asked under a forgotten key; and the wires between the parts."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import orjson

from blend_pos.tiendas.models import Rol
from cache_stock import reservation, scripts
from tests.faults.customers import Asked, Cart, ask
from tests.faults.network import Mode
from tests.faults.scene import Scene
from tests.pipeline.till import Till
from tests.polling import wait_until
from ventas.messages import Pedido, hold_payload, sale_payload
from ventas.publisher import persist_message

WIRE_S = (0.3, 3.0)
WRITTEN_S = 20.0
ARMED_S = 60.0
HUGE = 2_000_000
WIRES = ("redis", "rabbitmq", "postgres")
DISTURBED = (Mode.STALLED, Mode.RESET, Mode.HALF_OPEN, Mode.SLOW)


def duplicates(scene: Scene, _point: str) -> None:
    """The same POST many times at once, the same message many times: one sale, one answer."""
    shop = scene.shop()
    till = scene.customers.till(shop)
    cart = Cart(shop, uuid4(), [(scene.draw.choice(shop.products[2:]), 1)])
    scene.customers.carts.append(cart)
    statuses = {each.status for each in post_at_once(till, cart, scene.draw.randint(2, 20))}
    if not statuses <= {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
        raise AssertionError(f"one sale, several answers: {statuses}")
    live = reservation.find_hold(tienda_id=shop.tienda_id, venta_id=cart.key)
    if live is not None:
        message = persist_message([orjson.dumps(hold_payload(hold=live)[0])])
        again = [(message.body, {"headers": message.headers})] * scene.draw.randint(2, 10)
        scene.ground.host.publish_all(again)


def post_at_once(till: Till, cart: Cart, times: int) -> list[Asked]:
    """The same cart so many times, all of them at once."""
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(lambda _number: ask(till, cart), range(times)))


def key_after_loss(scene: Scene, _point: str) -> None:
    """Redis has forgotten the answer: the same key is still the same sale, and another cart under it is refused."""
    shop = scene.shop()
    till = scene.customers.till(shop)
    cart = Cart(shop, uuid4(), [(shop.products[3], 1)])
    scene.customers.carts.append(cart)
    ask(till, cart)
    wait_until(lambda: cart.key in shop.written(), timeout_s=WRITTEN_S, what="the sale is written")
    if scene.turn(["emptied", "a week later"]) == "emptied":
        with scene.web_is_unwell():
            scripts.stock_client().flushall()
        wait_until(scene.armed, timeout_s=ARMED_S, what="every tienda is armed")
    else:
        scene.forget_answer(cart)
    same = ask(till, cart)
    other = till.sell([(shop.products[4], 2)], key=cart.key)
    if (same.status, other.status) != (HTTPStatus.CREATED, HTTPStatus.UNPROCESSABLE_ENTITY):
        raise AssertionError(f"the same: {same.status}, another: {other.status}")


def poison_body(scene: Scene, _point: str) -> None:
    """What is no sale: each is kept for a person, none is dropped, and it stops nobody; looked for at rest."""
    mark = uuid4().hex
    bodies = _bodies(mark)
    chosen = scene.turn(range(len(bodies) + 1))
    if chosen < len(bodies):
        body, properties = bodies[chosen]
        scene.ground.host.publish(body, **properties)
        scene.marks.append(mark)
    else:
        _sell_unknown(scene)


def _sell_unknown(scene: Scene) -> None:
    """A sale in good order, of a product that is not there."""
    shop, unknown, venta_id = scene.shop(), uuid4(), uuid4()
    epoch = reservation.armed_epochs(tiendas=[shop.tienda_id])[shop.tienda_id] or 0
    moment = datetime.now(UTC).isoformat()
    who = shop.users[Rol.CAJERO].pk
    pedido = Pedido(moment, who, str(shop.seats[0].terminal_id), "EFECTIVO", ((str(unknown), 1000),), ((1050, 1600),))
    payload, _total = sale_payload(
        tienda_id=shop.tienda_id, venta_id=venta_id, huella=venta_id.hex * 2, epoch=epoch, pedido=pedido, products=()
    )
    message = persist_message([orjson.dumps(payload)])
    scene.ground.host.publish(message.body, headers=message.headers)
    scene.to_fail.add(venta_id)


def _bodies(mark: str) -> list[tuple[bytes, dict[str, Any]]]:
    """Undecodable, a wrong schema, unsigned, unreadable sales, huge, from an older release."""
    found: list[tuple[bytes, dict[str, Any]]] = [
        (b"\xff\xfe" + mark.encode(), {}),
        (orjson.dumps({"marca": mark}), {}),
        (orjson.dumps([[], {"ventas": [mark]}, {}]), {"headers": {"task": "ventas.persist_sales", "id": mark}}),
    ]
    sales: list[dict[str, Any]] = [
        {"esquema": 99, "marca": mark},
        {"esquema": 1, "venta_id": mark, "items": [{"producto_id": str(uuid4()), "cantidad": 1}]},
        {"marca": mark, "relleno": "x" * HUGE},
        {"venta": mark, "lineas": [["7501055300075", 1, "12.50"]]},
    ]
    for sale in sales:
        signed = persist_message([orjson.dumps(sale)])
        found.append((signed.body, {"headers": signed.headers}))
    return found


def network(scene: Scene, point: str) -> None:
    """One wire stalls, is reset, goes one way only, or is slow."""
    wire = scene.ground.wires[scene.turn(WIRES)]
    mode = scene.draw.choice(DISTURBED)

    def disturb() -> None:
        with wire.being(mode):
            time.sleep(scene.draw.uniform(*WIRE_S))  # the fault is its length

    scene.at(point, disturb)
