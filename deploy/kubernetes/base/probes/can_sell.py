#!/usr/bin/env python3
"""Whether this pod can sell: it answers, each Redis takes writes, and RabbitMQ listens. Status 1 says what is missing.

With the standard library alone, since it runs every few seconds beside who sells. Not asked: PostgreSQL, without which
the shop sells on, and whether a tienda is armed, which is the same for every pod and heals without them.
"""

import os
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from urllib.parse import SplitResult, unquote, urlsplit

TIMEOUT_S = 1.0
WEB = ("127.0.0.1", 8000)
# As the proxy in front asks: under a name of ALLOWED_HOSTS, and over TLS.
QUESTION = b"GET /caja/sw.js HTTP/1.0\r\nHost: localhost\r\nX-Forwarded-Proto: https\r\n\r\n"
PORTS = {"redis": 6379, "rediss": 6379, "amqp": 5672, "amqps": 5671}
TLS = {"rediss", "amqps"}
CLUSTERS = {"rediscluster": "redis", "redisclusters": "rediss"}
TAKES_WRITES = {b"loading:0", b"role:master"}


class CannotSell(Exception):
    """The text says what is missing, without the address, which holds a password."""


def check_web(address: tuple[str, int]) -> None:
    """The web server of this pod answers 200."""
    with closing(socket.create_connection(address, TIMEOUT_S)) as connection:
        connection.sendall(QUESTION)
        with connection.makefile("rb") as answer:
            status = answer.readline().split()[1:2]
    if status != [b"200"]:
        raise CannotSell(f"the web server says {b''.join(status).decode(errors='replace') or 'nothing'}")


def check_redis(url: str) -> None:
    """Redis lets us in, has loaded its data, and is no replica. Of CACHE_URL as well: who asks is looked up there."""
    where = urlsplit(url)
    with closing(_connect(where)) as connection, connection.makefile("rb") as answer:
        who = [unquote(part) for part in (where.username, where.password) if part]
        if who:
            connection.sendall(_command("AUTH", *who))
            if answer.readline() != b"+OK\r\n":
                raise CannotSell("Redis refuses the password")
        connection.sendall(_command("INFO"))
        head = answer.readline()
        if not head.startswith(b"$"):
            raise CannotSell("Redis does not say how it is")
        lacking = TAKES_WRITES - set(answer.read(int(head[1:])).split())
    if lacking:
        raise CannotSell(f"Redis takes no writes: not {b', '.join(sorted(lacking)).decode()}")


def check_broker(url: str) -> None:
    """RabbitMQ listens. Without a word to it: half a greeting would be an error in its log, every few seconds."""
    _connect(urlsplit(url)).close()


def check_any(check: Callable[[str], None], urls: Sequence[str]) -> None:
    """One node of a cluster is enough: who lives on another is refused by the web server, and nobody else."""
    *others, last = urls
    for url in others:
        with suppress(CannotSell, OSError):
            check(url)
            return
    check(last)


def redis_nodes(url: str) -> list[str]:
    """A plain URL as it is; of a cluster, each node that it names."""
    scheme, _, rest = url.partition("://")
    if scheme not in CLUSTERS:
        return [url]
    who, at, hosts = rest.rpartition("@")
    return [f"{CLUSTERS[scheme]}://{who}{at}{host}" for host in hosts.split(",")]


def _connect(where: SplitResult) -> socket.socket:
    connection = socket.create_connection((where.hostname, where.port or PORTS[where.scheme]), TIMEOUT_S)
    if where.scheme not in TLS:
        return connection
    return ssl.create_default_context().wrap_socket(connection, server_hostname=where.hostname)


def _command(*words: str) -> bytes:
    parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
    return "".join([f"*{len(words)}\r\n", *parts]).encode()


def main() -> int:
    """Ask all of them, and say the first that is missing."""
    asked = ""
    try:
        asked = "the web server"
        check_web(WEB)
        asked = "Redis"
        check_any(check_redis, redis_nodes(os.environ["REDIS_URL"]))
        if cache := os.environ.get("CACHE_URL"):  # else it is on the stock's
            asked = "the Redis of CACHE_URL"
            check_redis(cache)
        asked = "RabbitMQ"
        check_any(check_broker, os.environ["RABBITMQ_URL"].split(";"))
    except (CannotSell, OSError, ValueError, LookupError) as error:
        told = str(error) if isinstance(error, CannotSell) else f"{asked}: {type(error).__name__}"
        sys.stderr.write(f"{told}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
