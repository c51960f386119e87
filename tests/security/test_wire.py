"""What only a socket can send, to the web server as `make run` starts it."""

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
import urllib3

from scripts import processes
from scripts.ports import LOOPBACK
from tests.pipeline.till import PROMISED_S
from tests.security.conftest import THREADS
from tests.security.world import World
from tests.spawning import Web

HEAD = "X-Forwarded-Proto: https\r\nHost: pos.example.com\r\n"
PATIENCE_S = 10  # far beyond what is promised, which is asserted


@contextmanager
def connected(web: Web) -> Iterator[socket.socket]:
    with socket.create_connection((LOOPBACK, web.port), timeout=PATIENCE_S) as wire:
        yield wire


def say(web: Web, first: str, body: bytes = b"", *, head: str = HEAD) -> bytes:
    """One request, byte by byte as given; the answer's first line, which came in time."""
    started = time.monotonic()
    with connected(web) as wire:
        wire.sendall(f"{first} HTTP/1.1\r\n{head}".encode("latin-1") + b"\r\n" + body)
        answer = wire.recv(4096)
    assert time.monotonic() - started < PROMISED_S
    return answer.partition(b"\r\n")[0]


def is_refused(answer: bytes) -> bool:
    """By a 4xx, or by a connection that is closed."""
    return answer == b"" or answer.startswith(b"HTTP/1.1 4")


def sells(web: Web, world: World) -> bool:
    """Whether it still answers a till, in time."""
    headers = {
        "X-Forwarded-Proto": "https",
        "Host": "pos.example.com",
        "Authorization": f"Bearer {world.own.shop.token}",
    }
    url = f"{web.url}/api/v1/productos/disponible?id={world.own.shop.products[0]}"
    with urllib3.PoolManager() as anew:  # not a connection that was let in before
        return anew.request("GET", url, headers=headers, timeout=PROMISED_S, retries=False).status == 200


@pytest.mark.parametrize(
    "head",
    [
        HEAD + f"X-Long: {'x' * 200_000}\r\n",
        HEAD + "X-Many: x\r\n" * 500,
        HEAD + f"Cookie: {'a=b; ' * 30_000}\r\n",
        HEAD + "X-Null: \0\r\n",
        HEAD + "X-Bell: \a\r\n",
        HEAD + "no colon\r\n",
        HEAD + "Content-Length: -1\r\n",
        HEAD + "Content-Length: 5\r\nContent-Length: 6\r\n",
        HEAD + f"Content-Length: {'9' * 40}\r\n",
        HEAD + "Transfer-Encoding: identity, nonsense\r\n",
        "X-Forwarded-Proto: https\r\n",  # no host
        HEAD + "Host: evil.example\r\n",
    ],
    ids=lambda head: head.removeprefix(HEAD)[:30],
)
def test_headers_that_are_none(web: Web, world: World, head: str) -> None:
    answer = say(web, "POST /api/v1/ventas/checkout", head=head)
    assert is_refused(answer)
    if len(head) > processes.HEADER_BYTES:
        assert b" 431 " in answer
    assert sells(web, world)


@pytest.mark.parametrize(
    "first",
    ["GET /" + "x" * 100_000, "GET /%00", "GET \0", "PRI *", "CONNECT evil.example:443", "GET http://evil.example/"],
)
def test_a_first_line_that_is_none(web: Web, world: World, first: str) -> None:
    answer = say(web, first)
    assert is_refused(answer) or answer.startswith(b"HTTP/1.1 30")
    assert sells(web, world)


@pytest.mark.parametrize(
    "path", ["/api/v1/ventas/checkout", "/api/v1/sesion", "/cuenta/login", "/api/v1/nada", "/caja/"]
)
def test_a_body_in_chunks_without_an_end_holds_nothing(web: Web, world: World, path: str) -> None:
    token = f"Authorization: Bearer {world.own.shop.token}\r\n"
    with ExitStack() as open_wires:
        for _ in range(THREADS + 2):
            wire = open_wires.enter_context(connected(web))
            head = f"POST {path} HTTP/1.1\r\n{HEAD}{token}Content-Type: application/json\r\n"
            wire.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n5\r\n{{'x':\r\n".encode())
            assert is_refused(wire.recv(4096).partition(b"\r\n")[0])
        assert sells(web, world)


@pytest.mark.parametrize("path", ["/api/v1/ventas/checkout", "/api/v1/cache/warmup", "/caja/", "/metrics"])
def test_a_body_that_nobody_reads_holds_nothing(web: Web, world: World, path: str) -> None:
    """Without a token nothing of it is read: a gigabyte that was announced, and never comes."""
    with ExitStack() as open_wires:
        for _ in range(THREADS + 2):
            wire = open_wires.enter_context(connected(web))
            wire.sendall(f"POST {path} HTTP/1.1\r\n{HEAD}Content-Length: 1000000000\r\n\r\n{{".encode())
            assert is_refused(wire.recv(4096).partition(b"\r\n")[0])
        assert sells(web, world)


def test_a_large_body_is_refused_before_it_came(web: Web, world: World) -> None:
    token = f"Authorization: Bearer {world.own.shop.token}\r\nContent-Type: application/json\r\n"
    head = f"{HEAD}{token}Content-Length: 100000000\r\n"
    assert b" 400 " in say(web, "POST /api/v1/ventas/checkout", b"[" * 300_000, head=head)
    assert sells(web, world)


def test_connections_that_ask_nothing_stop_nobody(web: Web, world: World) -> None:
    """As browsers keep them; as many as there were threads stopped the whole shop once."""
    with ExitStack() as open_wires:
        for _ in range(4 * processes.BLOCKING_THREADS):
            open_wires.enter_context(connected(web))
        assert sells(web, world)
