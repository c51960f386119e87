"""Ports on 127.0.0.1: a free one for a test, and a clear word where a fixed one is taken."""

import errno
import socket
import time

import port_for

LOOPBACK = "127.0.0.1"
PAUSE_S = 0.1
HIGHEST = 65_535


class PortInUse(Exception):
    """Something else listens where a server was to listen. The message says where, who wanted it, and what to do."""


class NoPort(Exception):
    """What should be a port is none. The message names the variable."""


def read_port(*, name: str, text: str, most: int = HIGHEST) -> int:
    """The port that the variable `name` gives. Raises NoPort."""
    try:
        port = int(text)
    except ValueError:
        port = 0
    if not 1 <= port <= most:
        raise NoPort(f"{name}={text}: a port is a number from 1 to {most}.")
    return port


def free_port(*, besides: set[int] | None = None) -> int:
    """A port nobody listens on, outside the range from which the kernel gives ports to clients.

    Inside that range a client that retries while the server is down could be given the server's own port.
    """
    return port_for.select_random(exclude_ports=besides or set())


def free_ports(count: int) -> list[int]:
    ports: set[int] = set()
    while len(ports) < count:
        ports.add(free_port(besides=ports))
    return list(ports)


def require_free(*, port: int, wanted_by: str, remedy: str, patience_s: float = 0) -> None:
    """Raise PortInUse where 127.0.0.1:port cannot be bound within `patience_s`."""
    deadline = time.monotonic() + patience_s
    while not _is_free(port):
        if time.monotonic() >= deadline:
            raise PortInUse(f"{wanted_by} cannot have {LOOPBACK}:{port}: another program listens there. {remedy}")
        time.sleep(PAUSE_S)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
            probe.listen()
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True
