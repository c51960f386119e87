"""Redis is killed, comes back with less than it had, is replaced, is full, or loses a key or a reply."""

import shutil
import time
from collections.abc import Callable
from http import HTTPStatus
from uuid import UUID

from cache_stock import keys, reservation, scripts
from scripts.services import Redis
from tests.faults.network import Mode
from tests.faults.scene import Scene
from tests.polling import wait_until

TAIL_BYTES = 20_000  # about two seconds of writes here
SEEN_S = 60.0
FULL_BYTES = 1_000_000
WIRE_S = (0.3, 3.0)
STRADDLED_S = (0.0, 2.0)
IN_STEP_S = 30.0
WORKERS = ("P5", "P6", "P7", "P8")
BEHIND_S = 2.0
SOLD_BETWEEN = 4


def redis_restart(scene: Scene, point: str) -> None:
    """kill -9; restarted empty; replaced by a stale copy."""
    redis = scene.ground.services.redis
    copy = redis.folder / "older"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(redis.data, copy)
    scene.customers.wait_for(3)

    def lose() -> None:
        redis.kill()
        how = scene.turn(["as it was", "empty", "older"])
        if how != "as it was":
            shutil.rmtree(redis.data)
        if how == "older":
            shutil.copytree(copy, redis.data)
        redis.start()
        if point in WORKERS:  # what it has taken was promised: a cold start has to wait for it
            wait_until(lambda: _begun(scene), timeout_s=SEEN_S, what="a cold start has begun")
            time.sleep(BEHIND_S)  # the fault is that the worker is behind

    with scene.web_is_unwell():  # who asks is kept there, too
        scene.at(point, lose)


def _begun(scene: Scene) -> bool:
    """Whether a cold start has claimed a tienda, or has armed it already."""
    claims = [scripts.fields(key=keys.meta(shop.tienda_id), names=["token", "run_id"]) for shop in scene.shops]
    return any(token for token, _run_id in claims) or scene.armed()


def redis_tail(scene: Scene, point: str) -> None:
    """A power cut: the last of the append-only file never reached the disk."""
    redis = scene.ground.services.redis
    lost = scene.draw.choice([1, scene.draw.randint(2, TAIL_BYTES)])

    def cut() -> None:
        redis.kill()
        cut_tail(redis, lost)
        redis.start()

    with scene.web_is_unwell():
        scene.at(point, cut)


def cut_tail(redis: Redis, lost: int) -> None:
    """Take so many bytes off the end of its append-only file; it does not run."""
    newest = max(redis.data.glob("appendonlydir/*.incr.aof"), key=lambda path: path.stat().st_mtime)
    size = newest.stat().st_size
    with newest.open("r+b") as stream:
        stream.truncate(max(0, size - lost))


def redis_failback(scene: Scene, point: str) -> None:
    """A replica is promoted, then the old master is back in its place as it was; each is still written to by who has
    not noticed."""
    ground, draw = scene.ground, scene.draw
    ground.standby.start()
    replica = ground.replica_client()
    replica.replicaof("127.0.0.1", ground.services.redis.port)
    wait_until(lambda: replica.info("replication")["master_link_status"] == "up", timeout_s=IN_STEP_S, what="in step")
    scene.customers.wait_for(SOLD_BETWEEN)

    def promote() -> None:
        replica.replicaof("NO", "ONE")
        _move(scene, ground.standby.port, straddled_s=draw.uniform(*STRADDLED_S))

    with scene.web_is_unwell():
        scene.at(point, promote)
    wait_until(scene.armed, timeout_s=SEEN_S, what="the replica is armed")
    scene.customers.wait_for(SOLD_BETWEEN)
    _move(scene, ground.services.redis.port, straddled_s=draw.uniform(*STRADDLED_S))


def _move(scene: Scene, port: int, *, straddled_s: float) -> None:
    """New connections lead to another server; those that are open stay for a while."""
    for wire in (scene.ground.wires["redis"], scene.ground.lens):
        wire.target = port
    time.sleep(straddled_s)  # two masters: the fault is its length
    for wire in (scene.ground.wires["redis"], scene.ground.lens):
        wire.reset()


def redis_full(scene: Scene, _point: str) -> None:
    """At maxmemory: 503, while what was promised settles."""
    client = scripts.stock_client()
    try:
        client.config_set("maxmemory", FULL_BYTES)
        scene.customers.wait_for(5, status=HTTPStatus.SERVICE_UNAVAILABLE)
        waiting = [shop for shop in scene.shops if shop.holds()]
        wait_until(
            lambda: not any(map(scene.live_holds, waiting)),
            timeout_s=SEEN_S,
            what="what was held is settled",
        )
    finally:
        client.config_set("maxmemory", 0)


def hash_lost(scene: Scene, point: str) -> None:
    """Somebody deletes one product's hash: nothing is sold of the tienda until it is loaded anew."""
    shop = scene.shop()
    producto = scene.draw.choice(shop.products)
    scene.at(point, lambda: scripts.delete(key=keys.stock(shop.tienda_id, producto)))
    wait_until(_seen(shop.tienda_id, producto), timeout_s=SEEN_S, what="seen")


def _seen(tienda_id: UUID, producto: UUID) -> Callable[[], bool]:
    def seen() -> bool:
        armed = reservation.armed_epochs(tiendas=[tienda_id])[tienda_id] is not None
        return not armed or bool(scripts.exists(keys=[keys.stock(tienda_id, producto)]))

    return seen


def reply_lost(scene: Scene, point: str) -> None:
    """What a script answers is lost on the way: nobody knows, everybody goes forward."""

    def lose() -> None:
        with scene.ground.wires["redis"].being(Mode.LOSING):
            time.sleep(scene.draw.uniform(*WIRE_S))  # the fault is its length

    scene.at(point, lose)
