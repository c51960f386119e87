"""The sales that wait together leave in one message.

Request threads hand a sale over and wait; one thread of this process publishes whatever has gathered, and one confirm
answers all of it. A lone sale waits for nobody. The queue and every wait are bounded.
"""

import logging
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from blend_pos import tracing
from ventas.metrics import count_publish
from ventas.publisher import HEARTBEAT_S, Link, Outcome, persist_message

logger = logging.getLogger(__name__)

LEAST_TIME_S = 0.1

Fence = Callable[[Collection[UUID]], dict[UUID, int | None]]


def _held_lock() -> threading.Lock:
    """Taken already: who acquires it waits. An Event would make three objects for the same."""
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(slots=True)
class _Waiting:
    tienda_id: UUID
    payload: bytes
    deadline: float
    carried: Mapping[str, str]
    pending: threading.Lock = field(default_factory=_held_lock)  # held until the outcome is known
    taken: bool = False
    outcome: Outcome = Outcome.UNKNOWN
    armed_epoch: int | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What became of one sale's message; `armed_epoch` was read after the confirm, None where Redis was not armed."""

    outcome: Outcome
    armed_epoch: int | None = None


class GatheringPublisher:
    """One a process, made on first use; after a fork the child begins anew, with a connection of its own."""

    def __init__(self, *, open_link: Callable[[], Link], fence: Fence, most_sales: int, most_waiting: int) -> None:
        self._open_link = open_link
        self._fence = fence
        self._most_sales = most_sales
        self._most_waiting = most_waiting
        self._start_lock = threading.Lock()
        self._pid = 0
        self._condition = threading.Condition()
        self._queue: deque[_Waiting] = deque()

    def publish(
        self, *, tienda_id: UUID, payload: bytes, deadline: float, carried: Mapping[str, str] = tracing.NOTHING
    ) -> Published:
        """Publish one sale with whatever else waits; wait for the outcome until `deadline` (time.monotonic()).
        `carried`: what its trace takes along."""
        self._ensure_started()
        waiting = _Waiting(tienda_id, payload, deadline, carried)
        with self._condition:
            if len(self._queue) >= self._most_waiting:
                return Published(Outcome.REFUSED)
            self._queue.append(waiting)
            self._condition.notify()
        if waiting.pending.acquire(timeout=max(0.0, deadline - time.monotonic())):
            return Published(waiting.outcome, waiting.armed_epoch)
        with self._condition:
            if not waiting.taken:  # and never will be: whoever takes it finds it too late
                return Published(Outcome.REFUSED)
        return Published(Outcome.UNKNOWN)

    def _ensure_started(self) -> None:
        if self._pid == os.getpid():
            return
        with self._start_lock:
            if self._pid == os.getpid():
                return
            self._condition, self._queue = threading.Condition(), deque()
            threading.Thread(target=self._run, args=(self._open_link(),), name="publisher", daemon=True).start()
            self._pid = os.getpid()

    def _run(self, link: Link) -> None:
        while True:
            batch = self._take()
            if not batch:
                link.idle()
                continue
            try:
                self._publish(link, batch)
            except Exception:  # whatever it was, these sales must hear, and the next ones be published
                logger.exception("publishing failed")
                link.drop()
            for waiting in batch:
                waiting.pending.release()

    def _take(self) -> list[_Waiting]:
        """What has gathered, at most one message of it; empty after a while without any."""
        batch: list[_Waiting] = []
        with self._condition:
            if not self._queue:
                self._condition.wait(HEARTBEAT_S / 4)
            soonest = time.monotonic() + LEAST_TIME_S
            while self._queue and len(batch) < self._most_sales:
                waiting = self._queue.popleft()
                waiting.taken = True
                if waiting.deadline < soonest:  # too late to learn the outcome, and it would hurry the others
                    waiting.outcome = Outcome.REFUSED
                    waiting.pending.release()
                else:
                    batch.append(waiting)
        return batch

    def _publish(self, link: Link, batch: list[_Waiting]) -> None:
        deadline = min(waiting.deadline for waiting in batch)
        carried = tracing.together(waiting.carried for waiting in batch)
        message = persist_message([waiting.payload for waiting in batch], carried=carried)
        started = time.monotonic()
        outcome = link.send(message, deadline=deadline)
        count_publish(outcome=outcome.value, sales=len(batch), seconds=time.monotonic() - started)
        tiendas = {waiting.tienda_id for waiting in batch}
        epochs = self._fence(tiendas) if outcome is Outcome.CONFIRMED else {}
        for waiting in batch:
            waiting.outcome = outcome
            waiting.armed_epoch = epochs.get(waiting.tienda_id)
