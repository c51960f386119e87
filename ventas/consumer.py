"""Celery's consumer, with the differences that the sales queue needs: what is no sale of ours is rejected, not lost."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from celery.worker.consumer import Consumer
from kombu.message import Message

from ventas import signatures
from ventas.publisher import BROKER_ERRORS, PERSIST_TASK

logger = logging.getLogger(__name__)


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

    def update_strategies(self) -> None:
        """Sales are persisted only from messages that carry our signature, on whichever queue they come."""
        super().update_strategies()
        self.strategies[PERSIST_TASK] = partial(self._receive_signed, self.strategies[PERSIST_TASK])

    def _receive_signed(self, run: Callable[..., Any], message: Message, *rest: Any, **more: Any) -> Any:
        if signatures.is_signed(message.body or b"", message.headers.get(signatures.HEADER)):
            return run(message, *rest, **more)
        logger.error("message without our signature rejected: %s", message.headers.get("id"))
        return message.reject_log_error(logger, self.errors)

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """Reject it for good: the queue's dead-letter strategy keeps it for the archiver."""
        logger.error("undecodable message rejected", exc_info=exc)
        message.reject_log_error(logger, self.errors)

    def on_invalid_task(self, _body: Any, message: Message, exc: Exception) -> None:
        """The same for a message that is no call of a task."""
        logger.error("message that calls no task rejected", exc_info=exc)
        message.reject_log_error(logger, self.errors)
