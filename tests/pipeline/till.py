"""A till: it posts carts over HTTP, keeps its keys, and measures how long each answer took."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from uuid import UUID, uuid4

import orjson
import urllib3

from tests.polling import wait_until

API = "/api/v1/"
METODO_PAGO = "EFECTIVO"
PACE_S = 0.03  # between two customers of a till
CLIENT_TIMEOUT_S = 15  # far beyond what is promised: a late answer is measured, not cut off
PROMISED_S = 2.0

Lines = Sequence[tuple[UUID, float]]


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, and the seconds it took."""

    status: int
    body: Any
    headers: dict[str, str]
    seconds: float


@dataclass(frozen=True, slots=True)
class Sold:
    """One posted cart: its key, and what was answered."""

    key: UUID
    reply: Reply

    @property
    def status(self) -> int:
        return self.reply.status


@dataclass(slots=True)
class Till:
    """One terminal's token (or a browser's cookies) at one web server. Threads may share it."""

    url: str
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=32, retries=False))

    def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Reply:
        """One request to the API."""
        sent = {**self.headers, **({"Authorization": f"Bearer {self.token}"} if self.token else {}), **(headers or {})}
        if body is not None:
            raw = orjson.dumps(body)
        if raw is not None:
            sent.setdefault("Content-Type", "application/json")
        started = time.monotonic()
        answer = self.pool.request(method, self.url + API + path, body=raw, headers=sent, timeout=CLIENT_TIMEOUT_S)
        seconds = time.monotonic() - started
        content = orjson.loads(answer.data) if answer.data else None
        return Reply(answer.status, content, {name.lower(): value for name, value in answer.headers.items()}, seconds)

    def get(self, path: str) -> Reply:
        return self.call("GET", path)

    def sell(self, lines: Lines, *, key: UUID | None = None, metodo_pago: str = METODO_PAGO) -> Sold:
        """Post a cart under a key of its own."""
        key = key or uuid4()
        body = {
            "items": [{"producto_id": str(producto), "cantidad": cantidad} for producto, cantidad in lines],
            "metodo_pago": metodo_pago,
        }
        return Sold(key, self.call("POST", "ventas/checkout", body=body, headers={"Idempotency-Key": str(key)}))

    def sell_many(self, carts: Sequence[Lines], *, at_once: int = 8) -> list[Sold]:
        """Post carts, so many at a time; the answers in the carts' order."""
        with ThreadPoolExecutor(at_once) as threads:
            return list(threads.map(self.sell, carts))

    @contextmanager
    def selling(self, carts: Sequence[Lines], *, at_once: int = 4) -> Iterator[list[Sold]]:
        """Post carts, dealt in turn, each a sale of its own, so many at a time, as long as the block runs."""
        sold: list[Sold] = []
        stop = threading.Event()

        def one(number: int) -> None:
            while not stop.is_set():
                sold.append(self.sell(carts[number % len(carts)]))
                number += at_once
                stop.wait(PACE_S)

        with ThreadPoolExecutor(at_once) as threads:
            running = [threads.submit(one, number) for number in range(at_once)]
            try:
                yield sold
            finally:
                stop.set()
            for thread in running:
                thread.result()

    def follow(self, key: UUID) -> Reply:
        """Where a sale is."""
        return self.get(f"ventas/{key}")


def by_status(sold: Sequence[Sold]) -> dict[int, list[UUID]]:
    """The keys of each status that was answered."""
    found: dict[int, list[UUID]] = {}
    for one in sold:
        found.setdefault(one.status, []).append(one.key)
    return found


def assert_in_time(sold: Sequence[Sold]) -> None:
    """Every answer came within what is promised."""
    late = [(one.status, round(one.reply.seconds, 2)) for one in sold if one.reply.seconds > PROMISED_S]
    assert not late, f"{len(late)} of {len(sold)} answers were late: {late[:10]}"


def wait_for_answers(sold: list[Sold], count: int, *, status: int | None = None, timeout_s: float = 30) -> None:
    """Wait until so many more answers (of this status) have come."""
    seen = len(sold)

    def enough() -> bool:
        return sum(status is None or one.status == status for one in sold[seen:]) >= count

    wait_until(enough, timeout_s=timeout_s, what=f"{count} more answers of {status or 'any status'}")


def assert_created(sold: Sequence[Sold]) -> None:
    """Every cart was taken, and promised."""
    refused = [one.reply for one in sold if one.status != HTTPStatus.CREATED]
    assert not refused, f"{len(refused)} of {len(sold)} not promised: {refused[:3]}"
