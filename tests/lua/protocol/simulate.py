"""Many schedules, on every core: `make simulate SCHEDULES=1000000`.

A schedule is one history of the whole protocol from an armed, warm shop to rest: its seed says which acts may come at
all, how often each does, and who does what to whom in which order; what must hold is looked at after every act. The
same seed with the same number of acts is the same schedule, on any machine. Each process has a Redis of its own.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.queues import Queue
from pathlib import Path

from scripts.ports import free_port
from scripts.redis_server import Redis as Server
from tests.lua.protocol.schedules import Found, Process

PASSWORD = "only-this-simulation"
SCHEDULES_A_CALL = 50
CALLS_AHEAD = 4  # a process
SAY_EVERY_S = 30.0
# In memory only; `debug` changes the server's identity in a moment, as a failover would.
REDIS = {"appendonly": "no", "enable-debug-command": "yes"}


@contextmanager
def servers(folder: Path, count: int) -> Iterator[list[str]]:
    """That many Redis servers, each with a socket in the file system; their addresses."""
    started: list[Server] = []
    urls = []
    try:
        for number in range(count):
            socket = folder / f"{number}.sock"
            settings = {**REDIS, "unixsocket": str(socket)}
            server = Server(folder=folder / str(number), port=free_port(), password=PASSWORD, settings=settings)
            started.append(server)
            server.start()
            urls.append(f"unix://:{PASSWORD}@{socket}")
        yield urls
    finally:
        for server in started:
            server.kill()


@contextmanager
def pool(processes: int, without: str) -> Iterator[ProcessPoolExecutor]:
    """Processes that run schedules, each with its Redis."""
    context = get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="blend-pos-simulation-") as folder,
        servers(Path(folder), processes) as urls,
    ):
        addresses: Queue[str] = context.Queue()
        for url in urls:
            addresses.put(url)
        executor = ProcessPoolExecutor(
            processes, mp_context=context, initializer=Process.enter, initargs=(addresses, without)
        )
        with executor:
            yield executor


def simulate(*, first: int, schedules: int, acts: int, processes: int, without: str = "") -> tuple[int, Found | None]:
    """How many schedules ran, and the one with the smallest seed among those that broke by then."""
    started = said = time.monotonic()
    ran, found = 0, list[Found]()
    calls = iter(range(first, first + schedules, SCHEDULES_A_CALL))
    with pool(processes, without) as executor:
        running: dict[Future[Found | None], int] = {}
        while True:
            while not found and len(running) < processes * CALLS_AHEAD and (at := next(calls, None)) is not None:
                seeds = range(at, min(at + SCHEDULES_A_CALL, first + schedules))
                running[executor.submit(Process.run, seeds, acts)] = len(seeds)
            if not running:
                return ran, min(found, key=lambda one: one.seed, default=None)
            done, _waiting = wait(running, return_when=FIRST_COMPLETED)
            for call in done:
                count = running.pop(call)
                if (broken := call.result()) is None:
                    ran += count
                else:
                    found.append(broken)
            if time.monotonic() - said > SAY_EVERY_S:
                said = time.monotonic()
                print(f"{ran} schedules in {said - started:.0f} s", flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make simulate", description=__doc__)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--acts", type=int, default=20, help="acts a schedule")
    parser.add_argument("--seed", type=int, help="the first seed; else any")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--without", default="", help="a rule of tests/lua/protocol/rules.py, to be missed")
    asked = parser.parse_args(arguments)
    if min(asked.schedules, asked.acts, asked.processes) < 1:
        parser.error("schedules, acts and processes are at least 1")
    first = random.SystemRandom().randrange(2**40) if asked.seed is None else asked.seed
    print(f"SEED={first} SCHEDULES={asked.schedules} ACTS={asked.acts} on {asked.processes} processes", flush=True)
    started = time.monotonic()
    ran, found = simulate(
        first=first, schedules=asked.schedules, acts=asked.acts, processes=asked.processes, without=asked.without
    )
    print(f"{ran} schedules, {ran * asked.acts} acts, in {time.monotonic() - started:.0f} s")
    if found is None:
        print("no schedule broke")
        return 0
    print(f"broken. Again: make simulate SEED={found.seed} SCHEDULES=1 ACTS={asked.acts}\n{found.shown}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
