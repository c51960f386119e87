"""The faults, a function each: break at a point, mend. The table of all of them is in table.py."""

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import orjson
from django.db import connection

from cache_stock import keys, reservation, scripts
from tests.faults.customers import Asked, Cart, ask
from tests.faults.ground import MAINTENANCE, WEB, WORKER
from tests.faults.network import Mode
from tests.faults.scene import POISON_CANTIDAD, Scene, armed
from tests.pipeline.rabbit import SALES, memory_alarm
from tests.pipeline.till import Till
from tests.polling import wait_until
from ventas.messages import hold_payload
from ventas.models import Venta, VentaFallida
from ventas.publisher import persist_message

FROZEN_S = (1.0, 8.0)
BROKER_FROZEN_S = 3.0
ROWS_FREE_S = 14.0  # ten until the session is ended, and a batch
QUEUE_FULL_S = 0.5
ARMED_S = 60.0
POISON_S = 60.0
WIRE_S = (0.3, 3.0)
TAIL_BYTES = 20_000  # about two seconds of writes here


def web_kill(scene: Scene, point: str) -> None:
    """kill -9 of the web process that comes to the point."""
    ground = scene.ground
    with scene.web_is_unwell():
        if point == "P10":
            scene.at(point, ground.running[WEB].kill)
        else:
            order = ground.orders.give("kill", point)
            with scene.coming_to(point):
                order.wait_taken()
            ground.running[WEB].kill()  # what is left of it
        ground.start()


def web_freeze(scene: Scene, point: str) -> None:
    """The web process stands still, and goes on as if nothing had happened."""
    web = scene.ground.running[WEB]
    with scene.web_is_unwell():
        if point == "P10":
            scene.at(point, web.freeze)
        else:
            scene.ground.orders.give("stop", point).wait_taken()
            web.freeze()
        time.sleep(scene.draw.uniform(*FROZEN_S))  # the fault is its length: there is nothing to poll for
        web.thaw()


def worker_kill(scene: Scene, point: str) -> None:
    """kill -9 of the worker and its children, with what they have taken."""
    scene.ground.orders.give("killall", point).wait_taken()
    scene.ground.running[WORKER].kill()


def worker_freeze(scene: Scene, point: str) -> None:
    """A worker's process stands still, its rows locked: the others wait no longer than the timeouts say."""
    worker = scene.ground.running[WORKER]
    scene.ground.orders.give("stop", point).wait_taken()
    began = _written(scene)
    try:
        wait_until(lambda: _written(scene) > began + 5, timeout_s=ROWS_FREE_S, what="the other process goes on")
    finally:
        worker.thaw()


def _written(scene: Scene) -> int:
    return Venta.objects.filter(tienda__in=[shop.tienda_id for shop in scene.shops]).count()


def poison_worker(scene: Scene, _point: str) -> None:
    """A sale that kills whoever writes it: it alone fails, and is seen to fail."""
    shop = scene.shop()
    cart = Cart(shop, uuid4(), [(shop.products[-1], POISON_CANTIDAD)])
    scene.customers.carts.append(cart)
    ask(scene.customers.till(shop), cart)

    def failed() -> bool:
        if not scene.ground.running[WORKER].running:
            scene.ground.start()
        return VentaFallida.objects.filter(venta_id=cart.key).exists()

    wait_until(failed, timeout_s=POISON_S, what="the poison is a VentaFallida")
    others = VentaFallida.objects.filter(tienda__in=[shop.tienda_id for shop in scene.shops]).count()
    if others != 1 + scene.poisoned:
        raise AssertionError(f"{others} failed sales for one poison")
    scene.poisoned += 1


def duplicates(scene: Scene, _point: str) -> None:
    """The same POST many times at once, the same message many times: one sale, one answer."""
    shop = scene.shop()
    till = scene.customers.till(shop)
    cart = Cart(shop, uuid4(), [(scene.draw.choice(shop.products[2:]), 1)])
    scene.customers.carts.append(cart)
    statuses = {each.status for each in _post_at_once(till, cart, scene.draw.randint(2, 20))}
    if not statuses <= {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
        raise AssertionError(f"one sale, several answers: {statuses}")
    live = reservation.find_hold(tienda_id=shop.tienda_id, venta_id=cart.key)
    if live is not None:
        message = persist_message([orjson.dumps(hold_payload(hold=live)[0])])
        again = [(message.body, {"headers": message.headers})] * scene.draw.randint(2, 10)
        scene.ground.host.publish_all(again)


def _post_at_once(till: Till, cart: Cart, times: int) -> list[Asked]:
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(lambda _number: ask(till, cart), range(times)))


def rabbitmq_restart(scene: Scene, point: str) -> None:
    """Stopped in good order, or killed; and started."""
    rabbit = scene.ground.services.rabbit

    def restart() -> None:
        scene.draw.choice([rabbit.stop, rabbit.kill])()
        rabbit.start()

    scene.at(point, restart)


def rabbitmq_frozen(scene: Scene, point: str) -> None:
    """It stands still, or is in alarm: connections stay, nothing is taken."""
    rabbit = scene.ground.services.rabbit

    def freeze() -> None:
        if scene.draw.random() < 0.5:
            rabbit.freeze()
            time.sleep(BROKER_FROZEN_S)  # the fault is its length
            rabbit.thaw()
        else:
            with memory_alarm(rabbit):
                time.sleep(BROKER_FROZEN_S)  # likewise

    scene.at(point, freeze)


def queue_full(scene: Scene, _point: str) -> None:
    """At its limit nothing is promised, nothing is kept, and the answer is quick."""
    customers, ground = scene.customers, scene.ground
    ground.running[WORKER].freeze()
    with ground.host.policy(SALES, {"max-length": 3, "overflow": "reject-publish"}):
        since = time.monotonic()
        customers.wait_for(10, status=HTTPStatus.SERVICE_UNAVAILABLE)
        asked = [each for cart in list(customers.carts) for each in list(cart.asked) if each.at > since]
        full = [each for each in asked if each.status == HTTPStatus.SERVICE_UNAVAILABLE]
        slow = [each for each in full if each.until - each.at > QUEUE_FULL_S]
        if len(slow) > len(full) // 10:
            raise AssertionError(f"{len(slow)} of {len(full)} refusals took longer than {QUEUE_FULL_S} s")
    ground.running[WORKER].thaw()


def redis_restart(scene: Scene, point: str) -> None:
    """kill -9; restarted empty; replaced by a stale copy."""
    redis = scene.ground.services.redis
    copy = redis.folder / "older"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(redis.data, copy)
    scene.customers.wait_for(3)

    def lose() -> None:
        redis.kill()
        how = scene.draw.choice(["as it was", "empty", "older"])
        if how != "as it was":
            shutil.rmtree(redis.data)
        if how == "older":
            shutil.copytree(copy, redis.data)
        redis.start()

    with scene.web_is_unwell():  # who asks is kept there, too
        scene.at(point, lose)
    wait_until(lambda: armed(scene), timeout_s=ARMED_S, what="every tienda is armed")


def redis_tail(scene: Scene, point: str) -> None:
    """A power cut: the last of the append-only file never reached the disk."""
    redis = scene.ground.services.redis

    def cut() -> None:
        redis.kill()
        newest = max(redis.data.glob("appendonlydir/*.incr.aof"), key=lambda path: path.stat().st_mtime)
        size = newest.stat().st_size
        with newest.open("r+b") as stream:
            stream.truncate(max(0, size - scene.draw.choice([1, scene.draw.randint(2, TAIL_BYTES)])))
        redis.start()

    with scene.web_is_unwell():
        scene.at(point, cut)
    wait_until(lambda: armed(scene), timeout_s=ARMED_S, what="every tienda is armed")


def redis_full(scene: Scene, _point: str) -> None:
    """At maxmemory: 503, while what was promised settles."""
    client = scripts.stock_client()
    try:
        client.config_set("maxmemory", 1_000_000)
        scene.customers.wait_for(5, status=HTTPStatus.SERVICE_UNAVAILABLE)
    finally:
        client.config_set("maxmemory", 0)


def two_beats(scene: Scene, _point: str) -> None:
    """Two cold starts at once, one of them killed in between."""
    other = scene.ground.more(MAINTENANCE)
    beat = scene.ground.more("beat")
    order = scene.ground.orders.give("killall", "P10")
    with scene.coming_to("P10"):
        order.wait_taken()
    wait_until(lambda: armed(scene), timeout_s=ARMED_S, what="every tienda is armed")
    beat.stop()
    other.stop()


def hash_lost(scene: Scene, point: str) -> None:
    """Somebody deletes one product's hash: nothing is sold of the tienda until it is loaded anew."""
    shop = scene.shop()
    producto = scene.draw.choice(shop.products)
    scene.at(point, lambda: scripts.delete(key=keys.stock(shop.tienda_id, producto)))
    wait_until(lambda: not _armed(shop.tienda_id) or _loaded(shop.tienda_id, producto), timeout_s=ARMED_S, what="seen")
    wait_until(lambda: armed(scene), timeout_s=ARMED_S, what="every tienda is armed")


def _armed(tienda_id: UUID) -> bool:
    return reservation.armed_epochs(tiendas=[tienda_id])[tienda_id] is not None


def _loaded(tienda_id: UUID, producto: UUID) -> bool:
    return bool(scripts.exists(keys=[keys.stock(tienda_id, producto)]))


def key_after_loss(scene: Scene, _point: str) -> None:
    """Redis has forgotten the answer: the same key is still the same sale, and another cart under it is refused."""
    shop = scene.shop()
    till = scene.customers.till(shop)
    cart = Cart(shop, uuid4(), [(shop.products[3], 1)])
    scene.customers.carts.append(cart)
    ask(till, cart)
    wait_until(lambda: cart.key in shop.written(), timeout_s=20, what="the sale is written")
    with scene.web_is_unwell():
        scripts.stock_client().flushall()
    wait_until(lambda: armed(scene), timeout_s=ARMED_S, what="every tienda is armed")
    same = ask(till, cart)
    other = till.sell([(shop.products[4], 2)], key=cart.key)
    if (same.status, other.status) != (HTTPStatus.CREATED, HTTPStatus.UNPROCESSABLE_ENTITY):
        raise AssertionError(f"the same: {same.status}, another: {other.status}")


def postgres_restart(scene: Scene, point: str) -> None:
    """Killed and restarted, or every connection cut."""
    postgres = scene.ground.services.postgres

    def restart() -> None:
        if scene.draw.random() < 0.5:
            postgres.kill()
            postgres.start()
            connection.close()
        else:
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    scene.at(point, restart)


def poison_body(scene: Scene, _point: str) -> None:
    """What is no sale: each is kept for a person, none is dropped, and it stops nobody; looked for at rest."""
    mark = uuid4().hex
    signed = persist_message([orjson.dumps({"esquema": 99, "marca": mark})])
    bodies: list[tuple[bytes, dict[str, Any]]] = [
        (b"\xff\xfe" + mark.encode(), {}),
        (orjson.dumps({"marca": mark}), {}),
        (orjson.dumps([[], {"ventas": [mark]}, {}]), {"headers": {"task": "ventas.persist_sales", "id": mark}}),
        (signed.body, {"headers": signed.headers}),
    ]
    body, properties = scene.draw.choice(bodies)
    scene.ground.host.publish(body, **properties)
    scene.marks.append(mark)


def reply_lost(scene: Scene, point: str) -> None:
    """What a script answers is lost on the way: nobody knows, everybody goes forward."""

    def lose() -> None:
        with scene.ground.wires["redis"].being(Mode.LOSING):
            time.sleep(scene.draw.uniform(*WIRE_S))  # the fault is its length

    scene.at(point, lose)


def network(scene: Scene, point: str) -> None:
    """One wire stalls, is reset, goes one way only, or is slow."""
    wire = scene.ground.wires[scene.draw.choice(["redis", "rabbitmq", "postgres"])]
    mode = scene.draw.choice([Mode.STALLED, Mode.RESET, Mode.HALF_OPEN, Mode.SLOW])

    def disturb() -> None:
        with wire.being(mode):
            time.sleep(scene.draw.uniform(*WIRE_S))  # the fault is its length

    scene.at(point, disturb)
