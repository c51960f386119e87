"""`make pictures`: sell for some minutes, a while of it without a worker, and draw what the dashboard's queries answer.

Servers and processes are the bench's own, Prometheus has deploy/prometheus' settings. Writes docs/dashboard/*.svg.
"""

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from bench.baskets import SCENARIOS
from bench.load import LoadFailed, Target, fixed_rate
from bench.pictures.chart import draw
from bench.pictures.panels import panels
from bench.pictures.prometheus import EVERY_S, Prometheus
from bench.stand import WORKER_PROCESSES, NotReady, Shop, Stand, stand
from scripts import processes
from scripts.binaries import MissingBinary
from scripts.ports import PortInUse, free_port
from scripts.services import ServiceError

FOLDER = processes.ROOT / "docs" / "dashboard"
PROBLEMS = (LoadFailed, NotReady, MissingBinary, PortInUse, ServiceError)
CONNECTIONS = 16
BUSY, QUIET = 60, 5  # sales a second
OLD_PRICE = 1.0


def say(text: str) -> None:
    print(text, flush=True)


def sell(target: Target, *, rate: float, seconds: float) -> None:
    """So many carts a second. Raises LoadFailed."""
    load = fixed_rate(rate=rate, connections=CONNECTIONS, seconds=seconds)(target)
    say(f"{seconds:g} s at {rate:g} carts a second: {load.accepted} taken, {load.refused} refused")


def at_old_prices(shop: Shop) -> Shop:
    """The same tienda, and a cart that was shown another price: it is refused with a 409."""
    carts = shop.carts.with_name("old_prices")
    (first, *_others) = shop.carts.read_text().splitlines()
    cart = json.loads(first)
    cart["items"] = [{**line, "precio": OLD_PRICE} for line in cart["items"]]
    carts.write_text(json.dumps(cart) + "\n")
    return Shop(shop.tienda_id, shop.tokens, carts)


def run(made: Stand, *, scale: float) -> None:
    """Quiet, busy, some refusals, no worker for two minutes and more, then all of it written. Raises LoadFailed."""
    shop = made.open_shop(SCENARIOS["basket"], seed=7)
    url = made.url + "ventas/checkout"
    sales, refused = shop.target(url), at_old_prices(shop).target(url)
    sell(sales, rate=QUIET, seconds=20 * scale)
    sell(sales, rate=BUSY, seconds=60 * scale)
    sell(refused, rate=QUIET, seconds=10 * scale)
    made.manage("reconcile_stock", "--tienda", str(shop.tienda_id))
    made.stop("worker")
    say("the worker is stopped")
    sell(sales, rate=QUIET, seconds=140 * scale)
    made.start_worker(concurrency=WORKER_PROCESSES)
    say("the worker is back")
    sell(sales, rate=QUIET, seconds=30 * scale)


def pictures(folder: Path, *, scale: float) -> None:
    """Into `folder`, one for each panel. Raises what may go wrong, PROBLEMS."""
    with tempfile.TemporaryDirectory(prefix="blend-pos-pictures-") as name:
        work = Path(name)
        with stand(work) as made:
            prometheus = Prometheus(folder=work / "prometheus", port=free_port(), web_port=made.web_port)
            prometheus.start()
            try:
                start = time.time()
                run(made, scale=scale)
                time.sleep(2 * EVERY_S)  # two more scrapes: the last seconds are to be in the picture, too
                end = time.time()
                folder.mkdir(parents=True, exist_ok=True)
                for panel in panels():
                    chart = panel.asked(prometheus, start=start, end=end)
                    (folder / panel.file).write_text(draw(chart))
                    say(f"{panel.file}: {len(chart.lines)} lines")
            finally:
                prometheus.stop()


def main() -> int:
    parser = argparse.ArgumentParser(description="Draw the dashboard's panels from a run.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where the pictures go")
    parser.add_argument("--scale", type=float, default=1.0, help="of how long everything takes")
    options = parser.parse_args()
    try:
        pictures(options.folder, scale=options.scale)
    except PROBLEMS as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
