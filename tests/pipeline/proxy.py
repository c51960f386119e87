"""A TCP proxy in front of Redis that can lose replies: what was asked is done, and nobody hears of it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from scripts.ports import LOOPBACK

CHUNK = 65_536


@dataclass(slots=True)
class Proxy:
    """Passes bytes both ways. While `losing` is set, a connection that asks for `marker` gets no reply any more."""

    target: int
    marker: bytes = b"EVALSHA"
    losing: threading.Event = field(default_factory=threading.Event)
    lost: int = 0
    _listener: socket.socket = field(default_factory=lambda: socket.create_server((LOOPBACK, 0)))
    _open: list[socket.socket] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def serve(self) -> None:
        """Accept until closed."""
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            server = socket.create_connection((LOOPBACK, self.target))
            self._open += [client, server]
            silent = threading.Event()
            threading.Thread(target=self._forward, args=(client, server, silent), daemon=True).start()
            threading.Thread(target=self._back, args=(server, client, silent), daemon=True).start()

    def close(self) -> None:
        self._listener.close()
        for one in self._open:
            _end(one)

    def _forward(self, client: socket.socket, server: socket.socket, silent: threading.Event) -> None:
        while data := _receive(client):
            if self.losing.is_set() and self.marker in data:
                silent.set()
                self.lost += 1
            _send(server, data)
        _end(server)

    def _back(self, server: socket.socket, client: socket.socket, silent: threading.Event) -> None:
        while data := _receive(server):
            if not silent.is_set():
                _send(client, data)
        _end(client)


def _receive(one: socket.socket) -> bytes:
    try:
        return one.recv(CHUNK)
    except OSError:
        return b""


def _send(one: socket.socket, data: bytes) -> None:
    try:
        one.sendall(data)
    except OSError:
        _end(one)


def _end(one: socket.socket) -> None:
    with suppress(OSError):  # ended already
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """A running proxy in front of a port of this machine."""
    proxy = Proxy(port)
    thread = threading.Thread(target=proxy.serve, daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.close()
        thread.join(5)
