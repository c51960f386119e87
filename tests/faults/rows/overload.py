"""Three times more than can be persisted, for minutes: nobody waits, nothing grows without bound, nothing is lost."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus

import psutil

from tests.faults.ground import WEB, WORKER
from tests.faults.scene import Scene
from tests.pipeline.rabbit import SALES

TILLS = 16
TIMES = 3.0
MOST_HOLDS = 40
# The worker's. It writes all that waits together, so only a worker that is away falls behind what a few tills sell; and
# less long than any time-out.
STOPPED_S, RUNNING_S = 5.0, 0.1
LOOK_S = 1.0
SPARE_BYTES = 48 * 1024**2
GROWTH = 1.25
MOST_WAITING = 10_000  # the queue's limit, in messages
WITHIN_S = 60.0


@dataclass(slots=True)
class Sizes:
    """What was seen, look by look: bytes of each part, live holds, messages."""

    parts: dict[str, list[int]] = field(default_factory=dict)
    holds: list[int] = field(default_factory=list)
    messages: list[int] = field(default_factory=list)


def overload(scene: Scene, _point: str) -> None:
    """Customers as fast as the server answers them, and a worker that is kept slow."""
    customers = scene.customers
    _restart_web(scene, HOLDS_MAX_PER_TIENDA=str(MOST_HOLDS))
    scene.afterwards.callback(_restart_web, scene)
    sizes = Sizes()
    with _slow(scene), customers.buying(tills=TILLS, pace_s=0.0):
        customers.wait_for(1, status=HTTPStatus.SERVICE_UNAVAILABLE, timeout_s=WITHIN_S)
        began, written, asked = time.monotonic(), scene.written(), _asked(scene)
        while time.monotonic() - began < scene.overload_s:
            _look(scene, sizes)
            time.sleep(LOOK_S)  # a load has a length
        seconds = time.monotonic() - began
        written, asked = scene.written() - written, _asked(scene) - asked
    scene.notes.append(f"{asked / seconds:.0f} asked and {written / seconds:.0f} persisted a second")
    _assert_bounded(scene, sizes)
    if asked < TIMES * written:
        raise AssertionError(f"no overload: {scene.notes[-1]}")


def _restart_web(scene: Scene, **settings: str) -> None:
    with scene.web_is_unwell():
        scene.ground.restart(WEB, **settings)


def _asked(scene: Scene) -> int:
    return sum(len(cart.asked) for cart in list(scene.customers.carts))


@contextmanager
def _slow(scene: Scene) -> Iterator[None]:
    """The worker runs a tenth of a second every five."""
    worker = scene.ground.running[WORKER]
    stop = threading.Event()

    def hold_back() -> None:
        while not stop.is_set():
            worker.freeze()
            stop.wait(STOPPED_S)
            worker.thaw()
            stop.wait(RUNNING_S)

    thread = threading.Thread(target=hold_back)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _look(scene: Scene, sizes: Sizes) -> None:
    ground = scene.ground
    parts = {service.name: service.pids for service in ground.services.each()}
    parts |= {name: process.pids for name, process in ground.running.items()}
    for name, pids in parts.items():
        sizes.parts.setdefault(name, []).append(sum(map(_bytes, pids)))
    sizes.holds.append(max(len(shop.holds()) for shop in scene.shops))
    sizes.messages.append(ground.host.ready(SALES))


def _bytes(pid: int) -> int:
    """Its own memory, not what it shares."""
    try:
        memory = psutil.Process(pid).memory_info()
    except psutil.NoSuchProcess:
        return 0
    return int(memory.rss - memory.shared)


def _assert_bounded(scene: Scene, sizes: Sizes) -> None:
    for name, seen in sizes.parts.items():
        third = max(1, len(seen) // 3)
        first, last = max(seen[:third]), max(seen[-third:])
        scene.notes.append(f"{name} {first / 1024**2:.0f} to {last / 1024**2:.0f} MiB")
        if last > first * GROWTH + SPARE_BYTES:
            raise AssertionError(f"memory grows: {scene.notes[-1]}")
    if max(sizes.holds) > MOST_HOLDS or max(sizes.messages) > MOST_WAITING:
        raise AssertionError(f"no bound: {max(sizes.holds)} holds, {max(sizes.messages)} messages")
    scene.notes.append(f"at most {max(sizes.holds)} holds a tienda, {max(sizes.messages)} messages")
