"""Celery's consumer, with the differences that the sales queue needs: what is no sale of ours is rejected, not lost.

Whoever reaches the exchange may send anything. Nothing of it may end the worker, whose queue would give it the same
message again; and nothing of what it says is repeated in a log, where it could be a sale's body or a line of its own.
"""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from celery.worker.consumer import Consumer
from kombu import Connection, compression
from kombu.message import Message

from ventas import envelopes, signatures
from ventas.gathered import Gatherer, is_plain
from ventas.publisher import BROKER_ERRORS, PERSIST_TASK

logger = logging.getLogger(__name__)


RECONNECT_AFTER_S = 2  # Celery's own pauses grow to half a minute, which a broker that is back would wait for a worker


class CompressedMessage(Exception):
    """Nobody here compresses a message; unpacked before its signature is looked at, a small one could fill the
    memory."""


def _refuse_compressed(_body: bytes) -> bytes:
    raise CompressedMessage


for _kind in compression.encoders():
    compression.register(_refuse_compressed, _refuse_compressed, _kind)


class RejectingConsumer(Consumer):
    """What cannot be decoded goes to the dead-letter exchange; Celery itself would acknowledge it, and it would be
    gone.

    No queues for delayed delivery: no task here has a countdown, and they would add bindings to the sales exchange.
    """

    class Blueprint(Consumer.Blueprint):  # type: ignore[misc, valid-type] # celery-types shows it as a variable
        """Celery's steps without delayed delivery."""

        default_steps: ClassVar = [
            step for step in Consumer.Blueprint.default_steps if "delayed_delivery" not in str(step)
        ]

    errors = BROKER_ERRORS
    strategies: dict[str, Callable[..., Any]]
    initial_prefetch_count: int
    gatherer: Gatherer | None = None  # of the connection; there is none before the first

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Celery's, which is told here and not on a command line what holds for every worker, however it is started.

        Workers tell each other nothing: nobody here listens, and each event waits for a confirm in the process that
        should notice a broker which stands still. Orders and answers of `inspect` are another matter, and stay.
        """
        super().__init__(*arguments, **named, without_mingle=True, without_gossip=True, without_heartbeat=True)

    def ensure_connected(self, conn: Connection) -> Connection:
        """Celery's, which asks a broker that is away again after the same short pause each time."""
        patient: Callable[..., Connection] = conn.ensure_connection
        steady = partial(patient, interval_start=RECONNECT_AFTER_S, interval_step=0)
        conn.ensure_connection = steady  # type: ignore[method-assign] # Celery hands no pauses on
        connected: Connection = super().ensure_connected(conn)
        return connected

    def create_task_handler(self, *arguments: Any, **named: Any) -> Callable[[Message], Any]:
        """Celery's, behind a look at who sends what: Celery trusts a message before its task has seen it."""
        handle = super().create_task_handler(*arguments, **named)
        gatherer = Gatherer(
            handle=handle,
            processes=self.pool.num_processes,
            most=self.initial_prefetch_count,
            later=self.timer.call_after,
        )
        self.gatherer = gatherer
        return partial(self._receive, handle, gatherer)

    def on_close(self) -> None:
        """Celery's, when the connection is gone."""
        self._forget()
        super().on_close()

    def stop(self) -> None:
        """Celery's, at the end: what waits goes back to the queue."""
        self._forget()
        super().stop()

    def _forget(self) -> None:
        if self.gatherer is not None:
            self.gatherer.forget()

    def _receive(self, handle: Callable[[Message], Any], gatherer: Gatherer, message: Message) -> Any:
        headers = envelopes.known_headers(message.headers)
        if headers is None or headers["task"] not in self.strategies:
            return self._reject(message, "message that calls no task of ours rejected")
        if (message.content_type, message.content_encoding) != envelopes.WRITTEN_IN:
            return self._reject(message, "message that is not written as ours are rejected")
        task = "" if headers["task"] == PERSIST_TASK else headers["task"]
        if not signatures.is_signed(message.body or b"", headers.get(signatures.HEADER), task=task):
            return self._reject(message, "message without our signature rejected")
        message.headers = headers
        if not task and is_plain(message):
            return gatherer.receive(message)
        return handle(message)

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """Reject it for good: the queue's dead-letter strategy keeps it for the archiver."""
        self._reject(message, "undecodable message rejected", exc)

    def on_invalid_task(self, _body: Any, message: Message, exc: Exception) -> None:
        """The same for a message that is no call of a task."""
        self._reject(message, "message that calls no task rejected", exc)

    def _reject(self, message: Message, why: str, error: Exception | None = None) -> None:
        """Of its error only the kind is told: the text may repeat what was sent."""
        told = {} if error is None else {"error": type(error).__name__}
        logger.error(why, extra=told)
        message.reject_log_error(logger, self.errors)
