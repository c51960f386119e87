"""Two to five faults at once, each of another part."""

import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol
from uuid import uuid4

from django.db import connection

from cache_stock import keys, scripts
from cache_stock.scripts import StockError
from tests.faults.customers import Cart
from tests.faults.ground import BEAT, MAINTENANCE, WEB, WORKER
from tests.faults.network import Mode
from tests.faults.rows.postgres import cut_connections
from tests.faults.rows.redis import cut_tail
from tests.faults.rows.traffic import post_at_once
from tests.faults.scene import Scene

FEWEST, MOST = 2, 5
WITHIN_S = 1.5
LASTS_S = (0.3, 3.0)
LOST_BYTES = 10_000

Break = Callable[[], None]


class Standing(Protocol):
    """What can stand still."""

    def freeze(self) -> None: ...
    def thaw(self) -> None: ...


def combined(scene: Scene, _point: str) -> None:
    """Some parts break within a second and a half, each in a way of its own; then all of them are mended."""
    parts = _parts(scene)
    chosen = scene.draw.sample(sorted(parts), scene.draw.randint(FEWEST, MOST))
    plan = [(name, scene.draw.choice(parts[name]), scene.draw.uniform(0, WITHIN_S)) for name in chosen]
    began = time.monotonic()
    with ThreadPoolExecutor(len(plan)) as threads:
        breaking = [threads.submit(_later, act, after_s) for _name, act, after_s in plan]
    if WEB in chosen:
        scene.ground.start()
        scene.unwell.append((began, time.monotonic()))
    for one in breaking:
        one.result()


def _later(act: Break, after_s: float) -> None:
    time.sleep(after_s)  # what is drawn is when it breaks: there is nothing to poll for
    try:
        act()
    finally:
        connection.close()  # this thread's own


def _parts(scene: Scene) -> dict[str, list[Break]]:
    """What can break, by part. Everything is drawn here, so that a seed says all of it."""
    ground, draw = scene.ground, scene.draw
    redis, rabbit, postgres = ground.services.redis, ground.services.rabbit, ground.services.postgres
    lasts_s, lost = draw.uniform(*LASTS_S), draw.randint(1, LOST_BYTES)

    def stand_still(part: Standing) -> Break:
        return lambda: _freeze(part, lasts_s)

    def redis_loses(how: Break) -> Break:
        def lose() -> None:
            redis.kill()
            how()
            redis.start()

        return lose

    wires = {
        f"wire to {name}": [_disturb(scene, name, mode, lasts_s) for mode in Mode if mode is not Mode.PASSING]
        for name in ground.wires
    }
    return {
        WEB: [ground.running[WEB].kill, stand_still(ground.running[WEB])],
        WORKER: [ground.running[WORKER].kill, stand_still(ground.running[WORKER])],
        MAINTENANCE: [ground.running[MAINTENANCE].kill, stand_still(ground.running[MAINTENANCE])],
        BEAT: [ground.running[BEAT].kill],
        "rabbitmq": [_restart(rabbit.stop, rabbit.start), _restart(rabbit.kill, rabbit.start), stand_still(rabbit)],
        "redis": [
            redis_loses(lambda: None),
            redis_loses(lambda: shutil.rmtree(redis.data)),
            redis_loses(lambda: cut_tail(redis, lost)),
            stand_still(redis),
            _lose_hash(scene),
        ],
        "postgres": [_restart(postgres.kill, postgres.start), cut_connections, stand_still(postgres)],
        "traffic": [_repeat(scene)],
        **wires,
    }


def _freeze(part: Standing, lasts_s: float) -> None:
    part.freeze()
    time.sleep(lasts_s)  # the fault is its length
    part.thaw()


def _restart(end: Break, start: Break) -> Break:
    def restart() -> None:
        end()
        start()

    return restart


def _disturb(scene: Scene, name: str, mode: Mode, lasts_s: float) -> Break:
    def disturb() -> None:
        with scene.ground.wires[name].being(mode):
            time.sleep(lasts_s)  # the fault is its length

    return disturb


def _lose_hash(scene: Scene) -> Break:
    shop = scene.shop()
    producto = scene.draw.choice(shop.products)

    def lose() -> None:
        try:
            scripts.delete(key=keys.stock(shop.tienda_id, producto))
        except StockError:
            return  # it is not there to lose anything

    return lose


def _repeat(scene: Scene) -> Break:
    """One cart, many times at once; whatever is answered, it is one sale at most."""
    shop = scene.shop()
    cart = Cart(shop, uuid4(), [(scene.draw.choice(shop.products[2:]), 1)])
    times = scene.draw.randint(2, 10)

    def repeat() -> None:
        scene.customers.carts.append(cart)
        post_at_once(scene.customers.till(shop), cart, times)

    return repeat
