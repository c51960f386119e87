"""Celery's own calls of tasks, signed: sweep, warmup, archive, cold start, whoever of us asks for them.

Not those that persist sales: the publisher alone makes them.
"""

from typing import Any

from celery.app.amqp import AMQP
from kombu.serialization import dumps

from ventas import signatures
from ventas.publisher import PERSIST_TASK


class SigningAMQP(AMQP):
    """Celery's maker of messages, whose bodies are put into bytes here, and carry our signature."""

    def as_task_v2(self, task_id: str, name: str, *arguments: Any, **named: Any) -> Any:
        """Celery's message of a call, signed for this task and no other."""
        message: Any = super().as_task_v2(task_id, name, *arguments, **named)
        if name == PERSIST_TASK:
            return message
        content_type, content_encoding, text = dumps(message.body, serializer="json")
        body = text.encode(content_encoding)
        encoded = {"content_type": content_type, "content_encoding": content_encoding}
        return message._replace(
            body=body,
            headers={**message.headers, signatures.HEADER: signatures.sign(body, task=name)},
            properties={**message.properties, **encoded},
        )
