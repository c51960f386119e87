"""RabbitMQ stops, stands still, is in alarm, or is full."""

import time
from http import HTTPStatus
from uuid import uuid4

from tests.faults.customers import Cart, ask
from tests.faults.ground import WORKER
from tests.faults.mortal_totals import BROKEN_CANTIDAD
from tests.faults.scene import Scene
from tests.pipeline.rabbit import SALES, disk_alarm, memory_alarm
from tests.polling import wait_until
from ventas.models import VentaFallida

FROZEN_S = 3.0
REFUSED_S = 0.5
FAILED_S = 60.0


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
        how = scene.turn(["frozen", "memory", "disk"])
        if how == "frozen":
            rabbit.freeze()
            time.sleep(FROZEN_S)  # the fault is its length
            rabbit.thaw()
        else:
            with {"memory": memory_alarm, "disk": disk_alarm}[how](rabbit):
                time.sleep(FROZEN_S)  # likewise

    scene.at(point, freeze)


def queue_full(scene: Scene, point: str) -> None:
    """At its limit nothing is promised, nothing is kept, and the answer is quick; a retry that finds it full is made
    where it is."""
    customers, worker = scene.customers, scene.ground.running[WORKER]
    worker.freeze()
    broken = _sell_broken(scene) if point == "retries" else None
    with scene.ground.host.policy(SALES, {"max-length": 3, "overflow": "reject-publish"}):
        since = time.monotonic()
        customers.wait_for(10, status=HTTPStatus.SERVICE_UNAVAILABLE)
        _assert_quick(scene, since)
        if broken is not None:
            worker.thaw()
            wait_until(
                lambda: VentaFallida.objects.filter(venta_id=broken.key).exists(),
                timeout_s=FAILED_S,
                what="what fails each time is a VentaFallida",
            )
    worker.thaw()


def _sell_broken(scene: Scene) -> Cart:
    """A promised sale that fails in each attempt."""
    shop = scene.shop()
    cart = Cart(shop, uuid4(), [(shop.products[-1], BROKEN_CANTIDAD)])
    scene.customers.carts.append(cart)
    scene.to_fail.add(cart.key)
    if ask(scene.customers.till(shop), cart).status != HTTPStatus.CREATED:
        raise AssertionError("the sale that is to fail was not promised")
    return cart


def _assert_quick(scene: Scene, since: float) -> None:
    asked = [each for cart in list(scene.customers.carts) for each in list(cart.asked) if each.at > since]
    full = [each for each in asked if each.status == HTTPStatus.SERVICE_UNAVAILABLE]
    slow = [each for each in full if each.until - each.at > REFUSED_S * scene.patience]
    if len(slow) > len(full) // 10:
        raise AssertionError(f"{len(slow)} of {len(full)} refusals took longer than {REFUSED_S} s")
