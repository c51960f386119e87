"""Celery's consumer, with two differences that the sales queue needs."""

import logging
from typing import Any, ClassVar

from celery.worker.consumer import Consumer
from kombu.message import Message

from ventas.publisher import BROKER_ERRORS

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

    def on_decode_error(self, message: Message, exc: Exception) -> None:
        """Reject it for good: the queue's dead-letter strategy keeps it for the archiver."""
        logger.error("undecodable message rejected", exc_info=exc)
        message.reject_log_error(logger, self.errors)

    def on_invalid_task(self, _body: Any, message: Message, exc: Exception) -> None:
        """The same for a message that is no call of a task."""
        logger.error("message that calls no task rejected", exc_info=exc)
        message.reject_log_error(logger, self.errors)
