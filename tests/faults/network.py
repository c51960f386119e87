"""A wire between two parts that can stall, reset, go one way only, be slow, or lose replies: a small TCP proxy."""

import enum
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from scripts.ports import LOOPBACK

CHUNK = 65_536
PAUSE_S = 0.01
SLOW_S = 0.05
ABORT = struct.pack("ii", 1, 0)  # a close that sends RST
ASKS = b"EVALSHA"


class Mode(enum.Enum):
    """What becomes of bytes. LOSING: whoever asks for a script meanwhile hears nothing more on that connection."""

    PASSING = "passing"
    STALLED = "stalled"
    RESET = "reset"
    HALF_OPEN = "half open"
    SLOW = "slow"
    LOSING = "losing"


@dataclass(slots=True, eq=False)
class Wire:
    """In front of one server's port; `port` is where to connect instead. Another `target` is for new connections."""

    target: int
    home: int = 0
    mode: Mode = Mode.PASSING
    _listener: socket.socket = field(default_factory=lambda: socket.create_server((LOOPBACK, 0), backlog=128))
    _open: set[socket.socket] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    def through(self, url: str) -> str:
        """The same address by way of this wire."""
        parts = urlsplit(url)
        return parts._replace(netloc=parts.netloc.replace(f":{self.home}", f":{self.port}")).geturl()

    @contextmanager
    def being(self, mode: Mode) -> Iterator[None]:
        """So as long as the block runs."""
        self.mode = mode
        if mode is Mode.RESET:
            self._reset_all()
        try:
            yield
        finally:
            self.mode = Mode.PASSING

    def reset(self) -> None:
        """End every connection there is; new ones are made."""
        self._reset_all()

    def serve(self) -> None:
        """Accept until closed."""
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def close(self) -> None:
        """End it, and every connection."""
        self._listener.close()
        self._reset_all()

    def _connect(self, client: socket.socket) -> None:
        try:
            if self.mode is Mode.RESET:
                raise ConnectionRefusedError
            server = socket.create_connection((LOOPBACK, self.target), timeout=5)
            server.settimeout(None)
        except OSError:
            _abort(client)
            return
        with self._lock:
            self._open |= {client, server}
        silent = threading.Event()
        threading.Thread(target=self._carry, args=(server, client, silent, True), daemon=True).start()
        self._carry(client, server, silent, False)

    def _carry(self, source: socket.socket, sink: socket.socket, silent: threading.Event, back: bool) -> None:
        """One direction, until either end is gone."""
        while data := _receive(source):
            while self.mode is Mode.STALLED or (back and self.mode is Mode.HALF_OPEN):
                time.sleep(PAUSE_S)
            if self.mode is Mode.SLOW:
                time.sleep(SLOW_S)
            if not back and self.mode is Mode.LOSING and ASKS in data:
                silent.set()
            if not (back and silent.is_set()):
                with suppress(OSError):  # the other end is gone: the next read of this one says so
                    sink.sendall(data)
        for one in (source, sink):
            _end(one)
            with self._lock:
                self._open.discard(one)

    def _reset_all(self) -> None:
        with self._lock:
            found, self._open = self._open, set()
        for one in found:
            _abort(one)


def _receive(one: socket.socket) -> bytes:
    try:
        return one.recv(CHUNK)
    except OSError:
        return b""


def _end(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()


def _abort(one: socket.socket) -> None:
    with suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    _end(one)


def open_wire(target: int) -> Wire:
    """A running wire to a port of this machine."""
    wire = Wire(target, home=target)
    threading.Thread(target=wire.serve, daemon=True).start()
    return wire
