"""The running product that a replay sells through: the one that `make run` left running, else one started for it."""

import http.client
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import environ

from scripts import processes, run
from scripts.guarded import Guarded
from scripts.ports import LOOPBACK
from scripts.services import start_together, stop_together

READY_S = 90.0
PAUSE_S = 0.1
PROBE_S = 5.0
NEEDED = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "RABBITMQ_URL")
WORKER_READY = " ready."


class NotReachable(Exception):
    """There is no product to sell through. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Stack:
    """Where the API answers, and the settings that name its servers."""

    url: str
    settings: Mapping[str, str]


@contextmanager
def running_stack(*, port: int) -> Iterator[Stack]:
    """The product at 127.0.0.1:`port` where one answers; else start it as `make run` does, and stop it at the end."""
    if answers(port):
        yield Stack(_url(port), _settings_in_use(port))
        return
    run.say(f"Nothing answers at {_url(port)}: starting everything, as make run does.")
    run.FOLDER.mkdir(mode=0o700, exist_ok=True)
    settings, servers = run.choose_servers(port=port)
    try:
        start_together(servers.private)
        run.prepare(settings)
        with _processes(settings, port):
            yield Stack(_url(port), settings)
    finally:
        stop_together(servers.private)


def answers(port: int) -> bool:
    """Whether an HTTP server answers there, whatever it answers."""
    connection = http.client.HTTPConnection(LOOPBACK, port, timeout=PROBE_S)
    try:
        connection.request("GET", "/api/v1/productos")
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _url(port: int) -> str:
    return f"http://{LOOPBACK}:{port}"


def _settings_in_use(port: int) -> dict[str, str]:
    """The environment, filled up from `.env`, as the product itself reads it."""
    environ.Env.read_env(processes.ROOT / ".env")
    missing = [name for name in NEEDED if name not in os.environ]
    if missing:
        raise NotReachable(
            f"Something answers at {_url(port)}, and neither .env nor the environment names its {', '.join(missing)}. "
            f"Start the product with: make run. Or replay beside it: make replay PORT={port + 1} FILE=…"
        )
    return dict(os.environ)


@contextmanager
def _processes(settings: Mapping[str, str], port: int) -> Iterator[None]:
    """Web, worker, maintenance and beat in the background, each with a log of its own."""
    started: dict[str, Guarded] = {}
    try:
        for name, command in run.product_commands(port=port).items():
            log = run.FOLDER / f"replay-{name}.log"
            started[name] = Guarded(command, log=log, environment=settings, folder=processes.ROOT, grace_s=run.GRACE_S)
        deadline = time.monotonic() + READY_S
        while not (answers(port) and WORKER_READY in started["worker"].log_text):
            _assert_running(started, deadline)
            time.sleep(PAUSE_S)
        yield
    finally:
        for process in started.values():
            process.stop()


def _assert_running(started: Mapping[str, Guarded], deadline: float) -> None:
    for name, process in started.items():
        if not process.running:
            raise NotReachable(f"{name} ended with {process.returncode} at its start:\n{process.log_tail()}")
    if time.monotonic() > deadline:
        tails = "\n".join(f"{name}: {process.log}" for name, process in started.items())
        raise NotReachable(f"The product is not ready after {READY_S:.0f} s. Its logs:\n{tails}")
