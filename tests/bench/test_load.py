"""What a load counts: every request that was due, however the server fails it."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.load import REPLY_S, Target, fixed_rate

REPLY = b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def peer(*statuses: int) -> Iterator[str]:
    """A server that answers these on each connection, the last one again and again; 0: it hangs up."""

    class Answer(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            number = 0
            while line := self.rfile.readline():
                length = 0
                while line.strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                    line = self.rfile.readline()
                self.rfile.read(length)
                status = statuses[min(number, len(statuses) - 1)]
                if not status:
                    return
                self.wfile.write(REPLY % status)
                number += 1

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

    with Server(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    tokens, carts = tmp_path / "tokens", tmp_path / "carts"
    tokens.write_text("a\nb\n")
    carts.write_text("{}\n")
    return tokens, carts


def test_a_fixed_rate_asks_as_often_as_it_says(files: tuple[Path, Path]) -> None:
    with peer(201) as url:
        load = fixed_rate(rate=100, connections=5, seconds=1)(Target(url, *files))
    assert (load.requests, load.accepted, load.refused, load.broken, load.followed) == (100, 100, 0, 0, 0)
    assert load.p50_ms < 200


def test_who_is_told_to_follow_is_counted_apart(files: tuple[Path, Path]) -> None:
    with peer(201, 202) as url:
        load = fixed_rate(rate=50, connections=1, seconds=1)(Target(url, *files))
    assert (load.accepted, load.followed) == (50, 49)


@pytest.mark.parametrize("statuses", [(503, 0), (0,), (400,)])
def test_no_goal_is_reached_by_refusing_or_by_hanging_up(statuses: tuple[int, ...], files: tuple[Path, Path]) -> None:
    with peer(*statuses) as url:
        load = fixed_rate(rate=100, connections=5, seconds=1)(Target(url, *files))
    assert (load.requests, load.accepted, load.refused + load.broken) == (100, 0, 100)
    assert load.p50_ms == REPLY_S * 1000


def test_a_server_that_is_not_there_has_broken_every_request(files: tuple[Path, Path]) -> None:
    load = fixed_rate(rate=100, connections=5, seconds=0.5)(Target("http://127.0.0.1:9/", *files))
    assert (load.requests, load.broken) == (50, 50)
