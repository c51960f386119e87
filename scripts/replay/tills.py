"""Several tills that sell over HTTP at once, each a thread with one kept-alive connection and a token of its own.

http.client, because the machine is shared with the servers that are measured: 0.1 ms of CPU a request against
urllib3's 0.27.
"""

import http.client
import json
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import urlsplit

REPLY_S = 10.0  # a checkout answers within two
GIVE_UP_S = 120.0  # a till that is refused with a 503 tries again for so long
LONGEST_PAUSE_S = 5.0
PAUSE_WITHOUT_REPLY_S = 1.0
CHECKOUT = "/api/v1/ventas/checkout"
NO_REPLY = "sin_respuesta"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Order:
    """One basket as it is sent: `key` is its Idempotency-Key, `body` JSON."""

    key: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Reply:
    """The last answer to an order. `codigo` is the API's word for a refusal; total in cents, None where unknown.

    `answered_ms`: from the moment the till wanted to send, the tries that were answered 503 included.
    """

    status: int
    codigo: str
    total_centavos: int | None
    answered_ms: float
    retries: int


class Till:
    """One connection of one terminal."""

    def __init__(self, *, url: str, token: str) -> None:
        place = urlsplit(url)
        self._connection = http.client.HTTPConnection(place.hostname or "localhost", place.port, timeout=REPLY_S)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def close(self) -> None:
        """Close the connection; another request would open it again."""
        self._connection.close()

    def sell(self, order: Order, *, due: float) -> Reply:
        """Send an order until it is answered otherwise than by 503, always with the same key. `due`: perf_counter()."""
        headers = {**self._headers, "Idempotency-Key": order.key}
        retries = 0
        while True:
            status, retry_after, body = self.call("POST", CHECKOUT, body=order.body, headers=headers)
            now = time.perf_counter()
            if status not in {0, HTTPStatus.SERVICE_UNAVAILABLE} or now - due > GIVE_UP_S:
                break
            retries += 1
            time.sleep(min(retry_after, LONGEST_PAUSE_S))
        total = body.get("total")
        return Reply(
            status=status,
            codigo=str(body.get("codigo", NO_REPLY if status == 0 else "")),
            total_centavos=None if total is None else round(total * 100),
            answered_ms=(now - due) * 1000,
            retries=retries,
        )

    def follow(self, key: str) -> tuple[int, str]:
        """(status, estado) of a sale."""
        status, _retry_after, body = self.call("GET", f"/api/v1/ventas/{key}")
        return status, str(body.get("estado", ""))

    def call(
        self, method: str, path: str, *, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, float, dict[str, Any]]:
        """(status, seconds to wait before another try, decoded body); status 0 where no answer came."""
        try:
            self._connection.request(method, path, body=body, headers=headers or self._headers)
            response = self._connection.getresponse()
            retry_after = float(response.headers.get("Retry-After") or PAUSE_WITHOUT_REPLY_S)
            return response.status, retry_after, _decoded(response.read())
        except (OSError, http.client.HTTPException):
            self._connection.close()  # the next request connects anew
            return 0, PAUSE_WITHOUT_REPLY_S, {}


def _decoded(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def make_order(*, lines: Sequence[tuple[uuid.UUID, int]]) -> Order:
    """A cart of products and their units, with a key of its own."""
    items = [{"producto_id": str(producto), "cantidad": units} for producto, units in lines]
    return Order(str(uuid.uuid4()), json.dumps({"items": items, "metodo_pago": "EFECTIVO"}).encode())


def sell_all(
    *, orders: Sequence[Order], tills: Sequence[Till], rate: float | None = None, on_reply: Callable[[Reply], object]
) -> list[Reply]:
    """Sell every order, the tills taking them in turn; the replies in the orders' order.

    With `rate`, orders a second, each is due at its own moment, whatever became of those before it, and its time is
    counted from then. Without it a till sends the next one when it has its answer.
    """
    start = time.perf_counter()

    def sell(till: Till, number: int) -> Reply:
        due = time.perf_counter() if rate is None else start + number / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        reply = till.sell(orders[number], due=due)
        on_reply(reply)
        return reply

    return _share_out(len(orders), tills, sell)


def follow_all(*, keys: Sequence[str], tills: Sequence[Till]) -> list[tuple[int, str]]:
    """(status, estado) of each sale, asked once."""
    return _share_out(len(keys), tills, lambda till, number: till.follow(keys[number]))


def _share_out(count: int, tills: Sequence[Till], work: Callable[[Till, int], Result]) -> list[Result]:
    """Do `work` for each number below `count`, each till taking the next one that nobody has taken."""
    numbers = iter(range(count))
    taking = threading.Lock()
    stopping = threading.Event()
    results: dict[int, Result] = {}

    def run(till: Till) -> None:
        while not stopping.is_set():
            with taking:
                number = next(numbers, None)
            if number is None:
                return
            results[number] = work(till, number)

    with ThreadPoolExecutor(max_workers=len(tills)) as threads:
        try:
            for running in [threads.submit(run, till) for till in tills]:
                running.result()
        finally:
            stopping.set()  # after Ctrl-C, too: each till ends with the order that it is at
    return [results[number] for number in range(count)]
