"""`make replay FILE=…`: sell every basket of a file over HTTP, then look whether everything adds up.

One line a basket, product names parted by commas. STOCK units of each product (else ample), TILLS at once, RATE baskets
a second (else as fast as they are answered), PORT of the web server. The exit status is 0 only where all is exact.
"""

import argparse
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import redis

from scripts import run
from scripts.binaries import MissingBinary
from scripts.install import CannotInstall
from scripts.ports import HIGHEST, NoPort, PortInUse
from scripts.replay import report
from scripts.replay.baskets import UnusableFile, make_catalogue, read_file
from scripts.replay.selling import NeverAtRest, replay
from scripts.replay.shop import ShopNotOpen, open_shop
from scripts.replay.stack import NotReachable, running_stack
from scripts.services import ServiceError

TILLS = 8
PROBLEMS = (
    NeverAtRest,
    ShopNotOpen,
    UnusableFile,
    NotReachable,
    run.StepFailedError,
    MissingBinary,
    CannotInstall,
    NoPort,
    PortInUse,
    ServiceError,
    psycopg.Error,
    redis.RedisError,
)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Sell every basket of a file over HTTP, and check what became of it.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--stock", type=int, help="units of each product; twice what the file asks for, if not given")
    parser.add_argument("--tills", type=int, default=TILLS, help="how many sell at once")
    parser.add_argument("--rate", type=float, help="baskets a second; as fast as they are answered, if not given")
    parser.add_argument("--port", type=int, default=8000, help="the web server's, on 127.0.0.1")
    options = parser.parse_args()
    if options.tills < 1 or (options.rate is not None and options.rate <= 0) or (options.stock or 0) < 0:
        parser.error("--tills is at least 1, --rate above 0, --stock at least 0")
    if not 1 <= options.port <= HIGHEST:
        parser.error(f"--port is from 1 to {HIGHEST}")
    return options


def main() -> int:
    """Run it; 0 where everything is exact."""
    options = read_options()
    run.end_with_make()
    try:
        file = read_file(options.file)
        catalogue = make_catalogue(demand=file.demand(), stock_units=options.stock)
        run.say(
            f"{options.file}: {len(file.baskets):,} baskets, {len(catalogue):,} products; "
            f"left out: {file.blank_names:,} blank names, {file.blank_lines:,} lines without a name"
        )
        with running_stack(port=options.port) as stack:
            shop = open_shop(file=options.file, catalogue=catalogue, tills=options.tills, stack=stack)
            stock = "ample stock" if options.stock is None else f"{options.stock} units of each product"
            run.say(f"Tienda {shop.tienda_id} at {stack.url}: {stock}, {options.tills} tills")
            with closing(shop):
                done = replay(file=file, shop=shop, stack=stack, rate=options.rate, ample=options.stock is None)
    except KeyboardInterrupt:
        return 130
    except PROBLEMS as problem:
        run.say(str(problem))
        return 1
    for text in (report.table(done), *report.complaints(done), report.last_line(done)):
        run.say(text)
    return 0 if done.exact else 1


if __name__ == "__main__":
    sys.exit(main())
