"""Sell one cart through the HTTP API and print how it passed: `make run`'s last step, beside the running processes.

Reads the demonstration's description (what `manage.py demo --json` printed) from the file named on the command line.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
import time
import uuid
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import amqp
import psycopg
import urllib3

from scripts import versions

READY_S = 120.0
PERSIST_S = 60.0
PAUSE_S = 0.2
POLL_S, LONGEST_POLL_S = 0.005, 0.1  # each look is a line of the web server's log
COLD_PAUSE_S = 1.0  # so is this one
QUEUE = "queue.sales.created"
CONSUMERS = 2  # the place of their number in what a declared queue is answered with
LINES = 3
COUNTED, WEIGHED = 2, 1.25  # of each product in the cart
LEDGER = """
    SELECT l.linea, p.nombre, l.tipo, l.delta, l.saldo, l.version
    FROM inventory_ledger l JOIN productos p ON p.id = l.producto_id JOIN ventas v ON v.id = l.venta_id
    WHERE v.venta_id = %s ORDER BY l.linea
"""


class PassageFailedError(Exception):
    """The sale did not come through. The message says where it stopped."""


@dataclass(frozen=True)
class Api:
    """The HTTP API, as the demonstration's terminal."""

    url: str
    token: str
    pool: urllib3.PoolManager

    def call(self, method: str, path: str, *, body: object = None, key: uuid.UUID | None = None) -> tuple[int, Any]:
        """(status, decoded body). Raises urllib3's errors where nothing answers."""
        headers = {"Authorization": f"Bearer {self.token}"} | ({"Idempotency-Key": str(key)} if key else {})
        answer = self.pool.request(
            method, f"{self.url}/api/v1/{path}", json=body, headers=headers, timeout=10, retries=False
        )
        return answer.status, answer.json()


def wait_until_it_answers(api: Api) -> None:
    """Until the product list answers 200."""
    deadline = time.monotonic() + READY_S
    seen: object = "nothing"
    while time.monotonic() < deadline:
        try:
            seen = api.call("GET", "productos")
        except urllib3.exceptions.HTTPError as error:
            seen = error
        else:
            if seen[0] == HTTPStatus.OK:
                return
        time.sleep(PAUSE_S)
    raise PassageFailedError(f"{api.url} does not answer after {READY_S:.0f} s: {seen}")


def wait_for_a_worker(url: str, *, patience_s: float = READY_S) -> None:
    """Until somebody takes sales from the broker at `url`: what a sale waits for a worker's start is not its passage.

    Redis as the broker does not tell who takes; there it returns at once.
    """
    if not url.startswith("amqp"):
        return
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        with versions.broker(url) as connection, contextlib.suppress(amqp.NotFound):  # the worker declares it
            declared = connection.channel().queue_declare(QUEUE, passive=True)
            if declared and declared[CONSUMERS]:
                return
        time.sleep(PAUSE_S)
    raise PassageFailedError(f"no worker takes from {QUEUE} after {patience_s:.0f} s")


def cart(api: Api) -> list[dict[str, object]]:
    """Three lines, one of them weighed; fewer while Redis does not know what is there."""
    _, found = api.call("GET", "productos?limite=500")
    products = [product for product in found["results"] if (product["disponible"] or 0) >= COUNTED]
    weighed = [product["id"] for product in products if product["unidad"] == "KG"][:1]
    counted = [product["id"] for product in products if product["unidad"] != "KG"][:2]
    lines = [(product, COUNTED) for product in counted] + [(product, WEIGHED) for product in weighed]
    return [{"producto_id": product, "cantidad": quantity} for product, quantity in lines]


def fill_cart(api: Api) -> list[dict[str, object]]:
    """The cart, as soon as there is stock for it: after a restart Redis is loaded anew first, in some seconds."""
    deadline = time.monotonic() + READY_S
    told = False
    while time.monotonic() < deadline:
        lines = cart(api)
        if len(lines) == LINES:
            return lines
        if not told:
            print("Redis is not armed yet: the cold start waits for empty queues, then loads it.", flush=True)
            told = True
        time.sleep(COLD_PAUSE_S)
    raise PassageFailedError(f"Redis does not know of stock for a cart after {READY_S:.0f} s")


def sell(api: Api) -> uuid.UUID:
    """Post a cart until it is accepted, then follow it to the end."""
    key = uuid.uuid4()
    body = {"items": fill_cart(api), "metodo_pago": "EFECTIVO"}
    deadline = time.monotonic() + READY_S
    while True:
        start = time.perf_counter()
        status, answer = api.call("POST", "ventas/checkout", body=body, key=key)
        reserved_ms = (time.perf_counter() - start) * 1000
        if status != HTTPStatus.SERVICE_UNAVAILABLE or time.monotonic() > deadline:
            break
        print(f"Not yet: {answer['mensaje']}", flush=True)
        time.sleep(5 * PAUSE_S)
    if status not in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
        raise PassageFailedError(f"checkout answered {status}: {answer}")
    print(f"Venta {key}: {LINES} lines, total {answer['total']}", flush=True)
    print(f"  RESERVADA   after {reserved_ms:8.1f} ms (HTTP {status})", flush=True)
    persisted_ms = follow(api, key=key, start=start)
    print(f"  PERSISTIDA  after {persisted_ms:8.1f} ms", flush=True)
    return key


def follow(api: Api, *, key: uuid.UUID, start: float) -> float:
    """Milliseconds from `start` until the sale is PERSISTIDA."""
    deadline = start + PERSIST_S
    pause_s = POLL_S
    while time.perf_counter() < deadline:
        status, answer = api.call("GET", f"ventas/{key}")
        if status == HTTPStatus.OK and answer["estado"] == "PERSISTIDA":
            return (time.perf_counter() - start) * 1000
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.2, LONGEST_POLL_S)
    raise PassageFailedError(f"venta {key} is not persisted after {PERSIST_S:.0f} s: {status} {answer}")


def print_ledger(database_url: str, key: uuid.UUID) -> None:
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        rows = connection.execute(LEDGER, [key]).fetchall()
    if not rows:
        raise PassageFailedError(f"venta {key} has no ledger rows")
    for line, name, kind, delta, balance, version in rows:
        print(f"  ledger {line}: {name:<32.32} {kind} {delta:>9} → {balance:>12}  version {version}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(description="Sell one cart and print its passage.")
    parser.add_argument("demo", type=Path)
    parser.add_argument("--url", required=True)
    parser.add_argument("--done", type=Path, required=True, help="file to write once the sale is persisted")
    parser.add_argument("--once", action="store_true", help="end after the sale")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    demo = json.loads(options.demo.read_text())
    api = Api(url=options.url, token=demo["token"], pool=urllib3.PoolManager())
    try:
        wait_until_it_answers(api)
        for role, server in versions.describe(os.environ):
            print(f"{role:<9} {server}", flush=True)
        wait_for_a_worker(os.environ["RABBITMQ_URL"])
        key = sell(api)
        print_ledger(os.environ["DATABASE_URL"], key)
    except (PassageFailedError, urllib3.exceptions.HTTPError) as problem:
        print(f"The sale did not come through: {problem}", flush=True)
        return 1
    options.done.write_text(str(key))
    if not options.once:
        print_access(options.url, demo)
        signal.pause()
    return 0


def print_access(url: str, demo: dict[str, Any]) -> None:
    print(f"\nTill: {url}/caja/   Admin: {url}/admin/   API: {url}/api/v1/docs")
    print(f"{demo['tienda']['nombre']} ({demo['tienda']['id']}). All of this is in .run/demo.json, too.")
    for person in demo["usuarios"]:
        print(f"  {person['usuario']:<16} {person['password']:<24} {person['rol']}")
    print(f"  token  {demo['token']}\nUntil Ctrl-C.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
