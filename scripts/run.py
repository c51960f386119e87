"""`make run`: servers, tables, a demonstration tienda, the product's processes, and one sale through all of it.

INSTALL=1 installs RabbitMQ where it is missing; ONCE=1 stops after the sale; PORT is the web server's.
"""

import ctypes
import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import honcho.manager
from honcho.manager import SYSTEM_PRINTER_NAME
from honcho.printer import Message, Printer

from scripts import environment, install, processes, run_servers
from scripts.binaries import MissingBinary
from scripts.guarded import guarded_command
from scripts.ports import NoPort, PortInUse, read_port, require_free
from scripts.services import Rabbit, ServiceError, start_together, stop_together

FOLDER = processes.ROOT / ".run"
DEMO = FOLDER / "demo.json"
DONE = FOLDER / "persisted"
METRICS = FOLDER / "metrics"
PR_SET_PDEATHSIG = 1  # linux/prctl.h
GRACE_S = 20
ENDING_S = 5  # the web server of a run that was killed may still be ending
WAITS_FOR_COLD_START = 2  # warmup_stock's status where Redis has restarted since: beat sees to it
WORKERS = 1  # Celery's; each has as many processes as the cores allow
STOPPED_BY_HAND = {130, 143}  # 128 + SIGINT, 128 + SIGTERM


class StepFailedError(Exception):
    """A command of the set-up failed. The message is what it printed."""


PROBLEMS = (
    MissingBinary,
    NoPort,
    PortInUse,
    ServiceError,
    StepFailedError,
    environment.BrokenSecrets,
    install.CannotInstall,
    run_servers.NoAddress,
)


class Console:
    """honcho's printer, which also keeps which process ended first: that one ended the run."""

    def __init__(self) -> None:
        self._printer = Printer(sys.stdout, time_format="%H:%M:%S")
        self.first_end = ""

    @property
    def width(self) -> int:
        """Of the names; honcho sets it."""
        return int(self._printer.width)

    @width.setter
    def width(self, width: int) -> None:
        self._printer.width = width

    def write(self, message: Message) -> None:
        if message.name == SYSTEM_PRINTER_NAME and " stopped (rc=" in message.data and not self.first_end:
            self.first_end = message.data.strip()
        self._printer.write(message)


def say(text: str) -> None:
    print(text, flush=True)


def end_with_make() -> None:
    """Under make, be told to stop when make is killed."""
    if "MAKELEVEL" in os.environ:
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a background job starts with it ignored
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def step(name: str, command: Sequence[str], settings: Mapping[str, str], *, allow: int = 0) -> str:
    """Run a command of the set-up to its end, and return what it printed. `allow` is one more status that is fine."""
    start = time.monotonic()
    done = subprocess.run(command, env=settings, cwd=processes.ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in {0, allow}:
        raise StepFailedError(f"{name} failed ({shlex.join(command)}):\n{done.stdout}{done.stderr}")
    say(f"{name}: {time.monotonic() - start:.1f} s")
    return done.stdout


def prepare(settings: Mapping[str, str]) -> None:
    """Tables, static files, the demonstration tienda, its stock in Redis."""
    step("Tables", processes.manage("migrate", "--no-input", "--verbosity=0"), settings)
    step("Static files", processes.manage("collectstatic", "--no-input", "--verbosity=0"), settings)
    described = step("Demonstration tienda", processes.manage("demo", "--json"), settings)
    environment.write_private(DEMO, described.rstrip().splitlines()[-1])
    step("Stock in Redis", processes.manage("warmup_stock", "--all"), settings, allow=WAITS_FOR_COLD_START)


def users_of_broker(settings: Mapping[str, str], servers: run_servers.Servers) -> dict[str, dict[str, str]]:
    """The settings by which each process finds a private RabbitMQ under a user of its own; of another one, none."""
    if not any(isinstance(service, Rabbit) for service in servers.private):
        return {}
    printed = step("Broker's users", processes.manage("broker_setup", "--json"), settings)
    found: dict[str, dict[str, str]] = json.loads(printed.rstrip().splitlines()[-1])
    return found


def product_commands(*, port: int) -> dict[str, list[str]]:
    """The product's processes, as many of each as this machine is good for."""
    cores = min(max(os.cpu_count() or 1, 2), 4)
    return {
        "web": processes.web(port=port, workers=cores),
        "worker": processes.worker(concurrency=processes.worker_processes(cores)),
        "maintenance": processes.maintenance(),
        "beat": processes.beat(),
    }


def with_reports(settings: Mapping[str, str]) -> dict[str, str]:
    """The settings, with logs for people, and one count of all processes in /metrics, from zero; unless told."""
    shutil.rmtree(METRICS, ignore_errors=True)
    METRICS.mkdir()
    return {"LOG_FORMAT": "console", "LOG_TASKS": "no", "PROMETHEUS_MULTIPROC_DIR": str(METRICS), **settings}


def serve(settings: Mapping[str, str], parts: Mapping[str, Mapping[str, str]], *, port: int, once: bool) -> int:
    """Run the product's processes and the sale until the sale is through (`once`), one ends, or Ctrl-C.

    `parts`: what single processes are told besides, by their names.
    """
    sale = [processes.PYTHON, "-m", "scripts.passage", str(DEMO), f"--url=http://127.0.0.1:{port}", f"--done={DONE}"]
    commands = {**product_commands(port=port), "sale": [*sale, "--once"] if once else sale}
    DONE.unlink(missing_ok=True)
    honcho.manager.KILL_WAIT = GRACE_S + 10  # a worker may finish the batch in its hands
    reporting = with_reports(settings)
    console = Console()
    manager = honcho.manager.Manager(console)
    for name, command in commands.items():
        line = "exec " + shlex.join(guarded_command(command, grace_s=GRACE_S))
        manager.add_process(name, line, env={**reporting, **parts.get(name, {})}, cwd=str(processes.ROOT))
    manager.loop()
    status = int(manager.returncode or 0)
    if (status == 0 and DONE.exists()) if once else status in STOPPED_BY_HAND:
        return 0
    say(f"The run ended because of this: {console.first_end}")
    return status or 1


def choose_servers(*, port: int) -> tuple[dict[str, str], run_servers.Servers]:
    """(the environment of every process, the servers), of a run whose web server is at `port`. Installs RabbitMQ where
    that is asked for and needed."""
    kept = environment.Secrets.kept_in(FOLDER / "secrets.json")
    given = environment.named(processes.ROOT / ".env")
    servers = run_servers.choose(environment=given, secrets=kept, folder=FOLDER)
    if servers.rabbitmq_missing and install.asked():
        install.install([servers.rabbitmq_missing.package])
        servers = run_servers.choose(environment=given, secrets=kept, folder=FOLDER)
    if servers.rabbitmq_missing:
        say(f"{servers.rabbitmq_missing}. Until then the sales go through Redis.")
    settings = {
        "SECRET_KEY": given.get("SECRET_KEY", kept.secret_key),
        **servers.settings,
        "SALES_WORKERS_MIN": given.get("SALES_WORKERS_MIN", str(WORKERS)),  # these two for manage.py golive_check
        "WEB_URL": f"http://127.0.0.1:{port}",
    }
    environment.write_settings(processes.ROOT / ".env", settings)
    return given | settings, servers


def main() -> int:
    end_with_make()
    try:
        FOLDER.mkdir(mode=0o700, exist_ok=True)
        port = read_port(name="PORT", text=os.environ.get("PORT", "8000"))
        remedy = f"Stop that one, or: make run PORT={port + 1}"
        require_free(port=port, wanted_by="The web server", remedy=remedy, patience_s=ENDING_S)
        settings, servers = choose_servers(port=port)
        start = time.monotonic()
        try:
            start_together(servers.private)
            names = ", ".join(service.name for service in servers.private)
            say(f"Private {names}: {time.monotonic() - start:.1f} s" if names else "Every server is named by its URL.")
            prepare(settings)
            parts = users_of_broker(settings, servers)
            return serve(settings, parts, port=port, once=os.environ.get("ONCE") == "1")
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # from here on it ends anyway, and in order
            stop_together(servers.private)
            say("Stopped.")
    except KeyboardInterrupt:
        return 130
    except FileExistsError:
        say(f"{FOLDER} is a file; a run keeps its data in a folder of that name. Move the file away.")
        return 1
    except PROBLEMS as problem:
        say(str(problem))
        return 1


if __name__ == "__main__":
    sys.exit(main())
