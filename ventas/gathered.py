"""What waits at a worker is persisted together: several messages of the queue become one call of the task.

A transaction costs much and a sale in it little. What arrives waits here for some hundredths of a second, and while
every process of the worker has its hands full, and goes to the next that is free as one call. Only messages that this
project wrote, and that come for the first time, are put together; each is acknowledged, or given back, by itself as
the call ends.
"""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Any
from weakref import WeakSet

from kombu.message import Message

from blend_pos import tracing
from ventas.publisher import BODY_END, BODY_START, persist_headers, persist_properties

MOST_SALES_BYTES = 256 * 1024  # then a call is full: some 280 sales of 4 lines

# Nobody waits for a row: the cashier has been answered. At 200 lone sales a second it halves what a sale costs.
PAUSE_S = 0.03
ENOUGH_MESSAGES = 16

Handle = Callable[[Message], Any]
Later = Callable[[float, Callable[[], None]], object]


def is_plain(message: Message) -> bool:
    """Whether it may be put together with others: first delivery, first attempt, written as this release writes."""
    headers, body = message.headers, _body(message)
    again = headers.get("x-delivery-count") or (message.delivery_info or {}).get("redelivered")
    return not again and not headers.get("retries") and body.startswith(BODY_START) and body.endswith(BODY_END)


def _body(message: Message) -> bytes:
    """As it travelled: a transport makes a text of what is declared as such."""
    body: Any = message.body
    return body.encode("utf-8", "surrogatepass") if isinstance(body, str) else bytes(body or b"")


class GatheredMessage(Message):
    """Several messages as one, for Celery to handle as any other.

    Its headers are its own: no signature covers those of a message, and one that says that it has expired would take
    its neighbours' sales with it. What the sales' traces take along goes on, and decides nothing.
    """

    def __init__(self, parts: Sequence[Message]) -> None:
        carried = tracing.together(part.headers.get(tracing.HEADER) for part in parts)
        first, headers = parts[0], persist_headers(ventas=f"of {len(parts)} messages", carried=carried)
        sales = b",".join(_body(part)[len(BODY_START) : -len(BODY_END)] for part in parts)
        body: Any = BODY_START + sales + BODY_END
        super().__init__(
            body=body,
            delivery_tag=first.delivery_tag,
            content_type=first.content_type,
            content_encoding=first.content_encoding,
            delivery_info=first.delivery_info,
            properties=persist_properties(headers),
            headers=headers,
            channel=first.channel,
        )
        self.parts = parts
        self.on_end: Callable[[GatheredMessage], None] | None = None

    @property
    def payload(self) -> Sequence[Any]:
        """No arguments: it is the process that gets the body that decodes it, and Celery would send them twice."""
        return [], {}, {}

    def ack_log_error(self, logger: Any, errors: Any, multiple: bool = False) -> None:
        """Acknowledge each."""
        self._end([part.ack_log_error for part in self.parts], logger, errors)

    def reject_log_error(self, logger: Any, errors: Any, requeue: bool = False) -> None:
        """Give each back, or reject it."""
        self._end([part.reject_log_error for part in self.parts], logger, errors, requeue=requeue)

    def _end(self, ends: Sequence[Callable[..., None]], *arguments: Any, **named: Any) -> None:
        try:
            for end in ends:
                end(*arguments, **named)
        finally:
            if self.on_end:
                self.on_end(self)


class Gatherer:
    """One a worker, used by its own loop alone; `processes` calls are out at a time, and the broker hands out `most`
    messages before it hears of one, 0 without a bound. `later` runs a function after so many seconds."""

    def __init__(self, *, handle: Handle, processes: int, most: int, later: Later) -> None:
        self._handle = handle
        self._processes = processes
        self._most = most
        self._later = later
        self._waiting: list[Message] = []
        self._since = 0.0
        self._out: WeakSet[GatheredMessage] = WeakSet()  # weak: of a call that Celery drops nobody tells

    def receive(self, message: Message) -> None:
        """Take a message that is_plain(); it is handed on soon, once a process is free."""
        self._waiting.append(message)
        if len(self._waiting) == 1:
            self._since = monotonic()
            self._later(PAUSE_S, self._hand_on)
        else:
            self._hand_on()

    def forget(self) -> None:
        """The connection is gone, and with it the right to acknowledge what waits: the broker delivers it again."""
        self._waiting.clear()

    def _hand_on(self) -> None:
        while self._is_due() and len(self._out) < self._processes:
            size, count = 0, 0
            while count < len(self._waiting) and (not count or size < MOST_SALES_BYTES):
                size += len(self._waiting[count].body or "")
                count += 1
            parts, self._waiting = self._waiting[:count], self._waiting[count:]
            gathered = GatheredMessage(parts)
            gathered.on_end = self._ended
            self._out.add(gathered)
            self._handle(gathered)

    def _is_due(self) -> bool:
        """Whether something waits that has waited long enough, or enough of it, or all that comes for now."""
        if not self._waiting:
            return False
        here = len(self._waiting) + sum(len(gathered.parts) for gathered in self._out)
        waited = monotonic() - self._since >= PAUSE_S
        return waited or len(self._waiting) >= ENOUGH_MESSAGES or 0 < self._most <= here

    def _ended(self, gathered: GatheredMessage) -> None:
        self._out.discard(gathered)
        self._hand_on()
