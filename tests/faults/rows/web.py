"""The web server's process dies, or stands still."""

import time

from tests.faults.ground import WEB
from tests.faults.scene import Scene

FROZEN_S = (1.0, 8.0)
LONGEST_FROZEN_S = 60.0


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
    shortest, longest = FROZEN_S
    with scene.web_is_unwell():
        if point == "P10":
            scene.at(point, web.freeze)
        else:
            scene.ground.orders.give("stop", point).wait_taken()
            web.freeze()
        # The fault is its length: there is nothing to poll for.
        time.sleep(scene.draw.uniform(shortest, LONGEST_FROZEN_S if scene.long else longest))
        web.thaw()
