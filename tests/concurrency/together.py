"""Many threads that begin at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

MOST_THREADS = 100
PATIENCE_S = 60
Outcome = TypeVar("Outcome")


def all_at_once(tasks: Sequence[Callable[[], Outcome]]) -> list[Outcome]:
    """Run each in a thread of its own, none before all are ready; their results in order. Raises what one raised."""
    assert len(tasks) <= MOST_THREADS
    ready = threading.Barrier(len(tasks))

    def run(task: Callable[[], Outcome]) -> Outcome:
        ready.wait(PATIENCE_S)
        return task()

    with ThreadPoolExecutor(max_workers=len(tasks)) as threads:
        running = [threads.submit(run, task) for task in tasks]
        return [one.result(PATIENCE_S) for one in running]
