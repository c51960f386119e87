"""The points of a sale at which a process can be held, frozen or killed. The product knows nothing of them.

FAULT_POINTS names a folder. A file `P3-0007.kill` there is an order: the first process that comes to P3 takes it, by
renaming it, and does as it says. What is held goes on once `<order>.go` is there, or after HELD_MOST_S.
"""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HELD_MOST_S = 20.0
PAUSE_S = 0.005
TAKEN = ".taken"
CONFIRMED = "confirmed.log"  # the sales whose message RabbitMQ has confirmed

Step = Callable[..., Any]


def note(line: str) -> None:
    """Keep a line, whatever becomes of this process."""
    with (Path(os.environ["FAULT_POINTS"]) / CONFIRMED).open("a") as stream:
        stream.write(f"{line}\n")


def reach(point: str) -> None:
    """A process is at this point. Without an order for it this reads one small folder."""
    folder = Path(os.environ["FAULT_POINTS"])
    for name in sorted(os.listdir(folder)):  # noqa: PTH208 - names alone: it is on every sale's way
        if not name.startswith(f"{point}-") or name.count(".") != 1:
            continue
        taken = folder / f"{name}{TAKEN}"
        try:
            (folder / name).rename(taken)
        except FileNotFoundError:
            continue  # another process was first
        _obey(name.rpartition(".")[2], folder / f"{name}.go")
        return


def _obey(what: str, go: Path) -> None:
    if what == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "killall":  # a pool's process takes its parent with it
        os.kill(os.getppid(), signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)
    elif what == "stop":
        os.kill(os.getpid(), signal.SIGSTOP)
    else:
        give_up = time.monotonic() + HELD_MOST_S
        while not go.exists() and time.monotonic() < give_up:
            time.sleep(PAUSE_S)


def before(point: str, step: Step) -> Step:
    """The step, with the point before it."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        reach(point)
        return step(*args, **kwargs)

    return wrapped


def after(point: str, step: Step) -> Step:
    """The step, with the point after it."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        result = step(*args, **kwargs)
        reach(point)
        return result

    return wrapped
