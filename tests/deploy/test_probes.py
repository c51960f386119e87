"""What kubelet asks of a pod: the probes' own files, against processes and sockets of this machine."""

import contextlib
import os
import re
import runpy
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client, override_settings

from tests.deploy.overlays import FOLDER
from tests.polling import wait_until

PROBES = FOLDER / "base" / "probes"
# Another process, whose context switches alive.sh is to see: it waits for nothing.
WAKES_OFTEN = "import time\nwhile True: time.sleep(0.02)"
LOADED = b"# Persistence\r\nloading:0\r\n# Replication\r\nrole:master\r\n"

Script = dict[str, Any]
CAN_SELL: Script = runpy.run_path(str(PROBES / "can_sell.py"))


def status_of(script: str, *arguments: str) -> int:
    return subprocess.run(["/bin/sh", str(PROBES / script), *arguments], check=False).returncode


def test_who_wakes_is_alive_and_who_is_frozen_is_not(tmp_path: Path) -> None:
    kept = str(tmp_path / "alive")
    process = subprocess.Popen([sys.executable, "-c", WAKES_OFTEN])
    status = Path(f"/proc/{process.pid}/status")
    try:
        for _ in range(3):
            wait_until(lambda: status_of("alive.sh", str(status), kept) == 0, timeout_s=10, what="it wakes")
        process.send_signal(signal.SIGSTOP)
        wait_until(lambda: "\nState:\tT" in status.read_text(), timeout_s=10, what="it stops")
        status_of("alive.sh", str(status), kept)  # it may have woken since the last look
        assert status_of("alive.sh", str(status), kept) == 1
        process.send_signal(signal.SIGCONT)
        wait_until(lambda: status_of("alive.sh", str(status), kept) == 0, timeout_s=10, what="it wakes again")
    finally:
        process.kill()
        process.wait()


def test_where_nothing_is_counted_nobody_is_killed(tmp_path: Path) -> None:
    (tmp_path / "status").write_text("Name:\tpython\n")
    assert status_of("alive.sh", str(tmp_path / "status"), str(tmp_path / "alive")) == 0


def connected(url: str) -> int:
    environment = {"PATH": os.environ["PATH"], "RABBITMQ_URL": url}
    return subprocess.run(["/bin/sh", str(PROBES / "connected.sh")], env=environment, check=False).returncode


@pytest.mark.parametrize(
    "url",
    ["amqp://u:p@broker:{}/v", "amqps://u:p@broker:{}/v", "amqp://broker:{}", "amqp://u:p@[::1]:9/v;amqp://u@b:{}//"],
)
def test_connected_is_who_has_a_connection_to_the_brokers_port(url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        assert connected(url.format(port)) == 1  # somebody listens, nobody is connected
        with socket.create_connection(("127.0.0.1", port)):
            assert connected(url.format(port)) == 0
    assert connected(url.format(port)) == 1


@pytest.mark.parametrize(
    ("url", "hexadecimal"),
    [
        ("amqp://u:p@broker/v", ["1628"]),
        ("amqps://u:p@broker/v", ["1627"]),
        ("amqps://u:p@[fd00::5]/v", ["1627"]),
        ("amqp://u:p@one:25672/v;amqp://u:p@two/v", ["6448", "1628"]),
    ],
)
def test_connected_looks_for_the_port_that_the_address_names(url: str, hexadecimal: list[str], tmp_path: Path) -> None:
    program = tmp_path / "grep"
    program.write_text('#!/bin/sh\nprintf "%s\\n" "$2"\n')
    program.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "RABBITMQ_URL": url}
    command = ["/bin/sh", str(PROBES / "connected.sh")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert re.findall(":([0-9A-F]{4}) 01 ", done.stdout) == hexadecimal


@contextlib.contextmanager
def peer(*answers: bytes) -> Iterator[tuple[int, list[bytes]]]:
    """Somebody who gives one answer to each thing that is sent, and what that was."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def talk() -> None:
            with contextlib.suppress(OSError):  # nobody came
                connection, _ = listening.accept()
                with connection:
                    for answer in answers:
                        heard.append(connection.recv(4096))
                        connection.sendall(answer)

        thread = threading.Thread(target=talk)
        thread.start()
        try:
            yield listening.getsockname()[1], heard
        finally:
            listening.shutdown(socket.SHUT_RDWR)  # wakes who still waits for somebody
            thread.join(5)


def bulk(text: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(text), text)


def test_a_redis_that_takes_writes_is_enough() -> None:
    with peer(b"+OK\r\n", bulk(LOADED)) as (port, heard):
        CAN_SELL["check_redis"](f"redis://:se%20cret@127.0.0.1:{port}/0")
    assert heard == [b"*2\r\n$4\r\nAUTH\r\n$7\r\nse cret\r\n", b"*1\r\n$4\r\nINFO\r\n"]


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ((b"-WRONGPASS invalid\r\n",), "Redis refuses the password"),
        ((b"+OK\r\n", b"-NOPERM no\r\n"), "Redis does not say how it is"),
        ((b"+OK\r\n", bulk(LOADED.replace(b"loading:0", b"loading:1"))), "Redis takes no writes: not loading:0"),
        ((b"+OK\r\n", bulk(LOADED.replace(b"master", b"slave"))), "Redis takes no writes: not role:master"),
    ],
)
def test_a_redis_that_takes_none_is_not(answers: tuple[bytes, ...], told: str) -> None:
    with peer(*answers) as (port, _), pytest.raises(CAN_SELL["CannotSell"], match=told):
        CAN_SELL["check_redis"](f"redis://:secret@127.0.0.1:{port}/0")


@pytest.mark.parametrize("status", [b"301 Moved Permanently", b"400 Bad Request", b"503 Service Unavailable", b""])
def test_a_web_server_that_says_anything_else_is_not_ready(status: bytes) -> None:
    with peer(b"HTTP/1.1 " + status + b"\r\n\r\n") as (port, heard), pytest.raises(CAN_SELL["CannotSell"]):
        CAN_SELL["check_web"](("127.0.0.1", port))
    assert heard[0].startswith(b"GET /caja/sw.js ")


def run_as_kubelet(*, web: int = 0, **environment: str) -> tuple[int, str]:
    """(status, what was said), with peers that are well but for what `web` or the environment says otherwise."""
    with (
        peer(b"HTTP/1.1 200 OK\r\n\r\n") as (up, _),
        peer(b"+OK\r\n", bulk(LOADED)) as (stock, _),
        peer(b"+OK\r\n", bulk(LOADED)) as (cache, _),
        peer() as (broker, _),
    ):
        told = {
            "REDIS_URL": f"redis://:secret@127.0.0.1:{stock}/0",
            "CACHE_URL": f"redis://:secret@127.0.0.1:{cache}/1",
            "RABBITMQ_URL": f"amqp://u:secret@127.0.0.1:{broker}/v",
        }
        text = (PROBES / "can_sell.py").read_text().replace('"127.0.0.1", 8000', f'"127.0.0.1", {web or up}')
        command = [sys.executable, "-I", "-S", "-"]
        done = subprocess.run(command, input=text, env=told | environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


@override_settings(SECURE_SSL_REDIRECT=True, SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https"))
def test_the_web_server_answers_the_probe_without_any_server(client: Client) -> None:
    """Under the settings of deploy/kubernetes, with no database to ask."""
    line, *headers = CAN_SELL["QUESTION"].decode().split("\r\n")
    path, told = line.split()[1], dict(header.split(": ") for header in headers if header)
    assert client.get(path, headers=told).status_code == 200
    assert client.get(path, headers={"Host": told["Host"]}).status_code == 301


def test_each_part_that_is_missing_is_named_without_its_password() -> None:
    assert run_as_kubelet() == (0, "")
    assert run_as_kubelet(web=9) == (1, "the web server: ConnectionRefusedError\n")
    assert run_as_kubelet(REDIS_URL="redis://:secret@127.0.0.1:9/0") == (1, "Redis: ConnectionRefusedError\n")
    nowhere = "the Redis of CACHE_URL: ConnectionRefusedError\n"
    assert run_as_kubelet(CACHE_URL="redis://:secret@127.0.0.1:9/1") == (1, nowhere)
    assert run_as_kubelet(CACHE_URL="") == (0, "")  # it is on the stock's
    assert run_as_kubelet(RABBITMQ_URL="amqp://u:secret@127.0.0.1:9/v") == (1, "RabbitMQ: ConnectionRefusedError\n")
    assert run_as_kubelet(RABBITMQ_URL="") == (1, "RabbitMQ: KeyError\n")


def test_of_a_cluster_one_node_is_enough() -> None:
    assert CAN_SELL["redis_nodes"]("rediscluster://:secret@one:7000,two:7001") == [
        "redis://:secret@one:7000",
        "redis://:secret@two:7001",
    ]
    CAN_SELL["check_any"](CAN_SELL["check_redis"], ["redis://:secret@127.0.0.1:9", settings.REDIS_URL])
    with pytest.raises(OSError, match="refused"):
        CAN_SELL["check_any"](CAN_SELL["check_broker"], ["amqp://127.0.0.1:9/v", "amqp://127.0.0.1:9/v"])


def test_the_real_servers_are_found_ready() -> None:
    check: Callable[[str], None] = CAN_SELL["check_redis"]
    check(settings.REDIS_URL)
    check(settings.CACHE_URL)
    CAN_SELL["check_broker"](settings.RABBITMQ_URL)
    with pytest.raises(CAN_SELL["CannotSell"], match="refuses the password"):
        check(settings.REDIS_URL.replace("redis://:", "redis://:wrong"))
