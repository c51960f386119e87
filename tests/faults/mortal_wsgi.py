"""The web server's application with the points of its side."""

from typing import Any

import orjson

from blend_pos.wsgi import application
from cache_stock import scripts
from tests.faults.points import after, before, note, reach
from ventas import checkout, gathering, publisher

__all__ = ["application"]

commands: Any = scripts
deciding: Any = checkout
publishing: Any = gathering.GatheringPublisher
link: Any = publisher.AmqpLink

commands.reserve = after("P2", before("P1", commands.reserve))
commands.warmup = before("P9", commands.warmup)


def _noted(publish: Any) -> Any:
    """What is confirmed is written down: none of it may be nowhere at last."""

    def wrapped(self: Any, *, payload: bytes, **more: Any) -> Any:
        published = publish(self, payload=payload, **more)
        if published.outcome is publisher.Outcome.CONFIRMED:
            note(orjson.loads(payload)["venta_id"])
        return published

    return wrapped


publishing.publish = _noted(publishing.publish)
deciding.decide = before("P4", deciding.decide)
_connect = link._connect


def _connect_with_point(self: Any, url: str, timeout_s: float) -> None:
    """What is published is on its way, and not confirmed."""
    _connect(self, url, timeout_s)
    publish = self._channel.basic_publish

    def published(*args: Any, **kwargs: Any) -> Any:
        result = publish(*args, **kwargs)
        reach("P3")
        return result

    self._channel.basic_publish = published


link._connect = _connect_with_point
