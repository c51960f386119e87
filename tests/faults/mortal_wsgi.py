"""The web server's application with the points of its side."""

from typing import Any

from blend_pos.wsgi import application
from cache_stock import scripts
from tests.faults.points import after, before, reach
from ventas import checkout, publisher

__all__ = ["application"]

commands: Any = scripts
deciding: Any = checkout
link: Any = publisher.AmqpLink

commands.reserve = after("P2", before("P1", commands.reserve))
commands.warmup = before("P9", commands.warmup)
deciding.decide = before("P4", deciding.decide)
_connect = link._connect


def _connect_with_point(self: Any, timeout_s: float) -> None:
    """What is published is on its way, and not confirmed."""
    _connect(self, timeout_s)
    publish = self._channel.basic_publish

    def published(*args: Any, **kwargs: Any) -> Any:
        result = publish(*args, **kwargs)
        reach("P3")
        return result

    self._channel.basic_publish = published


link._connect = _connect_with_point
