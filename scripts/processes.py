"""The command lines of the product's own processes, in one place for `make run`, the tests and the benches."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = sys.executable
GRANIAN_LOGS = ROOT / "blend_pos" / "granian_logs.json"
APP = "celery_app"
PREFETCH_MULTIPLIER = 32  # messages that a worker may have in hand for each process, to persist them together
MAINTENANCE_PREFETCH = 2  # a cold start takes a while, and what waits behind it is no other worker's
BLOCKING_THREADS = 32  # a checkout mostly waits for the broker's confirm
# granian's "backpressure" counts connections, and every browser keeps some open that ask nothing.
CONNECTIONS = 512
HEADER_BYTES = 64 * 1024
HEADERS_WITHIN_MS = 10_000  # also how long a connection may ask nothing


def manage(*arguments: str) -> list[str]:
    return [PYTHON, str(ROOT / "manage.py"), *arguments]


def web(
    *,
    port: int,
    workers: int = 1,
    blocking_threads: int = BLOCKING_THREADS,
    host: str = "127.0.0.1",
    application: str = "blend_pos.wsgi",
) -> list[str]:
    """granian. A connection beyond CONNECTIONS waits in the listen queue; a request, for a thread."""
    listen = [f"--host={host}", f"--port={port}", f"--workers={workers}"]
    limits = [f"--blocking-threads={blocking_threads}", f"--backpressure={CONNECTIONS}", "--http=1"]
    limits += [f"--http1-buffer-size={HEADER_BYTES}", f"--http1-header-read-timeout={HEADERS_WITHIN_MS}"]
    serve = ["--interface=wsgi", "--no-ws", "--workers-kill-timeout=5", f"{application}:application"]
    return [PYTHON, "-m", "granian", f"--log-config={GRANIAN_LOGS}", *listen, *limits, *serve]


def worker_processes(cores: int) -> int:
    """How many processes a worker has where it shares these cores with the web and the servers: one for two of them."""
    return max(1, cores // 2)


def worker(
    *, concurrency: int = 2, prefetch: int = PREFETCH_MULTIPLIER, name: str = "ventas", app: str = APP
) -> list[str]:
    options = ["--queues=queue.sales.created", f"--concurrency={concurrency}", f"--hostname={name}@%h"]
    options.append(f"--prefetch-multiplier={prefetch}")
    return _celery("worker", *options, app=app)


def maintenance(*, name: str = "mantenimiento", app: str = APP) -> list[str]:
    options = ["--queues=queue.maintenance", "--concurrency=1", f"--hostname={name}@%h"]
    options.append(f"--prefetch-multiplier={MAINTENANCE_PREFETCH}")
    return _celery("worker", *options, app=app)


def beat() -> list[str]:
    return _celery("beat", "--pidfile=")


def _celery(command: str, *options: str, app: str = APP) -> list[str]:
    return [PYTHON, "-m", "celery", "--quiet", f"--app={app}", command, "--loglevel=INFO", *options]
