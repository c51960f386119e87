"""A worker's process dies or stands still, with what it has taken; two cold starts run at once."""

from uuid import uuid4

from tests.faults.customers import Cart, ask
from tests.faults.ground import BEAT, MAINTENANCE, WORKER
from tests.faults.mortal_totals import POISON_CANTIDAD
from tests.faults.scene import Scene
from tests.polling import wait_until
from ventas.models import VentaFallida

ROWS_FREE_S = 14.0  # ten until the session is ended, and a batch
POISON_S = 60.0


def worker_kill(scene: Scene, point: str) -> None:
    """kill -9 of the worker and its children, with what they have taken and what has gathered behind it."""
    worker = scene.ground.running[WORKER]
    order = scene.ground.orders.give("killall", point)
    worker.freeze()
    with scene.customers.buying(pace_s=0):
        scene.customers.wait_for(scene.behind)
    worker.thaw()
    order.wait_taken()
    worker.kill()


def worker_freeze(scene: Scene, point: str) -> None:
    """A worker's process stands still, its rows locked: the others wait no longer than the timeouts say."""
    worker = scene.ground.running[WORKER]
    scene.ground.orders.give("stop", point).wait_taken()
    began = scene.written()
    try:
        wait_until(lambda: scene.written() > began + 5, timeout_s=ROWS_FREE_S, what="the other process goes on")
    finally:
        worker.thaw()


def poison_worker(scene: Scene, _point: str) -> None:
    """A sale that kills whoever writes it: it alone fails, and is seen to fail."""
    shop = scene.shop()
    cart = Cart(shop, uuid4(), [(shop.products[-1], POISON_CANTIDAD)])
    scene.customers.carts.append(cart)
    scene.to_fail.add(cart.key)
    ask(scene.customers.till(shop), cart)

    def failed() -> bool:
        if not scene.ground.running[WORKER].running:
            scene.ground.start()
        return VentaFallida.objects.filter(venta_id=cart.key).exists()

    wait_until(failed, timeout_s=POISON_S, what="the poison is a VentaFallida")


def two_beats(scene: Scene, _point: str) -> None:
    """Two cold starts at once, one of them killed in between."""
    for name in (MAINTENANCE, BEAT):
        scene.afterwards.callback(scene.ground.more(name).stop)
    order = scene.ground.orders.give("killall", "P10")
    with scene.coming_to("P10"):
        order.wait_taken()
