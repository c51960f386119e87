"""Orders to processes of the product: be held, frozen or killed at a point of a sale. The other side of points.py."""

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from tests.faults.points import CONFIRMED, TAKEN
from tests.polling import wait_until

UUID_LENGTH = 36
REACHED_S = 60.0  # a cold start drains first


@dataclass(frozen=True, slots=True)
class Order:
    """One order, to whichever process comes to its point first."""

    path: Path

    @property
    def taken(self) -> bool:
        """Whether a process has come there."""
        return self.path.with_name(f"{self.path.name}{TAKEN}").exists()

    def wait_taken(self) -> None:
        """Until a process has."""
        wait_until(lambda: self.taken, timeout_s=REACHED_S, what=f"a process comes to {self.path.name}")

    def release(self) -> None:
        """What is held goes on; an order that nobody took is withdrawn."""
        self.path.with_name(f"{self.path.name}.go").touch()
        self.path.unlink(missing_ok=True)


@dataclass(slots=True)
class Orders:
    """The folder that FAULT_POINTS names."""

    folder: Path
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    def give(self, what: str, point: str) -> Order:
        """`what`: hold, stop, kill, or killall, which takes a pool's parent too."""
        path = self.folder / f"{point}-{next(self._numbers):05}.{what}"
        path.touch()
        return Order(path)

    def held(self, point: str, act: Callable[[], None]) -> None:
        """Do something while a process is held at a point; where none comes there, do it all the same."""
        order = self.give("hold", point)
        try:
            order.wait_taken()
        finally:
            try:
                act()
            finally:
                order.release()

    def confirmed(self) -> set[UUID]:
        """The sales whose message RabbitMQ has confirmed, ever; of a last line that was cut short, nothing."""
        log = self.folder / CONFIRMED
        lines = log.read_text().splitlines() if log.exists() else []
        return {UUID(line) for line in lines if len(line) == UUID_LENGTH}

    def withdraw(self) -> None:
        """Nothing is ordered any more."""
        for path in self.folder.iterdir():
            if path.suffix in {".hold", ".stop", ".kill", ".killall"}:
                Order(path).release()
