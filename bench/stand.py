"""Servers of the bench's own, the product's processes on them, and a tienda for each thing that is measured."""

import json
import os
import secrets
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from bench.baskets import Scenario
from bench.load import Target
from scripts import processes
from scripts.guarded import Guarded
from scripts.ports import free_port
from scripts.replay.evidence import Witness
from scripts.replay.stack import WORKER_READY, answers
from scripts.services import Services

TERMINALS = 100
CARTS = 20_000
STOCK = 10_000_000
BASELINE_THREADS = 8  # suits who waits for locks best: with 32 a process a tenth less is sold, at twice the p95
READY_S = 90.0
PAUSE_S = 0.05
PRICE = "10.50"
CORES = os.cpu_count() or 1
WORKER_PROCESSES = processes.worker_processes(CORES)
SEAT = """
SELECT terminales.id, membresias.usuario_id FROM terminales JOIN membresias USING (tienda_id)
WHERE tienda_id = %s ORDER BY terminales.id LIMIT 1
"""
KNOWS_WHEN = {"track_commit_timestamp": "on"}  # when each row could be seen first
WRITER = {"PGAPPNAME": "bench_writer"}  # by which PostgreSQL knows the connections of who writes
UPKEEP = {"PGAPPNAME": "bench_upkeep"}  # and those of who looks after everything all the time
WRITERS_LEFT = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
HOLD_OFF = "SELECT pg_advisory_lock(hashtextextended(%s, 0))"


class NotReady(Exception):
    """A process of the bench did not start. The message is the end of its log."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A tienda of one scenario, ample stock, with a token for each of its terminals."""

    tienda_id: uuid.UUID
    tokens: Path
    carts: Path

    def target(self, url: str) -> Target:
        """Where its carts go."""
        return Target(url, self.tokens, self.carts)


@dataclass(slots=True)
class Stand:
    """The servers, and what runs on them. `parts`: each part's processes, for the count of CPU time."""

    folder: Path
    services: Services
    settings: Mapping[str, str]
    web_port: int
    baseline_port: int
    floor_port: int
    running: dict[str, Guarded] = field(default_factory=dict)

    @property
    def parts(self) -> dict[str, list[int]]:
        """PIDs by name of the part."""
        servers = {service.name: service.pids for service in self.services.each()}
        return {name: process.pids for name, process in self.running.items()} | servers

    @property
    def ended(self) -> dict[str, Guarded]:
        """What was started, never stopped, and does not run."""
        return {name: process for name, process in self.running.items() if not process.running}

    @property
    def url(self) -> str:
        """The product's API."""
        return f"http://127.0.0.1:{self.web_port}/api/v1/"

    @property
    def baseline_url(self) -> str:
        """The same, and the baselines below bench/."""
        return f"http://127.0.0.1:{self.baseline_port}/api/v1/"

    @property
    def floor_url(self) -> str:
        """The bare WSGI function."""
        return f"http://127.0.0.1:{self.floor_port}/"

    def manage(self, *arguments: str, given: str = "") -> str:
        """A command of the project, to its end. Raises NotReady."""
        return self._run(processes.manage(*arguments), given)

    def probe(self, name: str, *arguments: str) -> Any:
        """What a module of bench.probes prints, from its JSON. Raises NotReady."""
        return json.loads(self._run([processes.PYTHON, "-m", f"bench.probes.{name}", *arguments], "").splitlines()[-1])

    def _run(self, command: Sequence[str], given: str) -> str:
        done = subprocess.run(
            command,
            input=given,
            env=self.settings,
            cwd=processes.ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise NotReady(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
        return done.stdout

    def witness(self, shop: Shop) -> Witness:
        """Both servers, asked about one tienda."""
        settings = self.settings
        return Witness(database_url=settings["DATABASE_URL"], redis_url=settings["REDIS_URL"], tienda_id=shop.tienda_id)

    @property
    def deadlocks(self) -> int:
        """How many PostgreSQL has ended, by its log: its statistics hear of one when its session is next at rest."""
        return self.services.postgres.log.read_text().count("deadlock detected")

    def connect(self) -> psycopg.Connection:
        """A connection to PostgreSQL of the bench's own, without a transaction."""
        return psycopg.connect(self.settings["DATABASE_URL"], autocommit=True)

    def start(self, name: str, command: Sequence[str], more: Mapping[str, str] | None = None) -> Guarded:
        """A process in the background, with a log of its own. Not waited for."""
        environment = {**self.settings, **(more or {})}
        log = self.folder / f"{name}.log"
        self.running[name] = Guarded(command, log=log, environment=environment, folder=processes.ROOT)
        return self.running[name]

    def stop(self, name: str) -> None:
        """End it in good order."""
        self.running.pop(name).stop()

    def start_worker(self, *, concurrency: int = WORKER_PROCESSES) -> None:
        """The product's worker, ready. Raises NotReady."""
        self.start("worker", processes.worker(concurrency=concurrency), WRITER)
        self.wait_for_log("worker", WORKER_READY)

    def start_floor(self, shop: Shop) -> None:
        """The bare function, for sales of one terminal of this tienda. Raises NotReady."""
        if "floor" in self.running:
            self.stop("floor")
        with self.connect() as connection:
            terminal, cajero = connection.execute(SEAT, [shop.tienda_id]).fetchone() or (None, None)
        seat = {"tienda": str(shop.tienda_id), "terminal": str(terminal), "cajero": cajero}
        command = processes.web(port=self.floor_port, workers=CORES, application="bench.floors.web")
        self.start("floor", command, {"BENCH_SEAT": json.dumps(seat)})
        self.wait_for_port("floor", self.floor_port)

    def wait_for_log(self, name: str, text: str) -> None:
        """Until a process has said so. Raises NotReady."""
        self._wait(name, lambda process: text in process.log_text)

    def wait_for_port(self, name: str, port: int) -> None:
        """Until a process answers HTTP. Raises NotReady."""
        self._wait(name, lambda _process: answers(port))

    def _wait(self, name: str, ready: Callable[[Guarded], bool]) -> None:
        process, deadline = self.running[name], time.monotonic() + READY_S
        while not ready(process):
            if not process.running or time.monotonic() > deadline:
                raise NotReady(f"{name} is not ready:\n{process.log_tail()}")
            time.sleep(PAUSE_S)

    def stop_writer(self) -> None:
        """End who writes, and wait until its connections are gone: then PostgreSQL has counted all that they did.

        Raises NotReady.
        """
        self.stop("worker")
        deadline = time.monotonic() + READY_S
        with self.connect() as connection:
            while connection.execute(WRITERS_LEFT, list(WRITER.values())).fetchone() != (0,):
                if time.monotonic() > deadline:
                    raise NotReady("the writer has ended, and its connections to PostgreSQL have not")
                time.sleep(PAUSE_S)

    @contextmanager
    def held_off(self, shop: Shop) -> Iterator[None]:
        """Whoever persists for this tienda waits until this ends: the lock that a cold start takes."""
        with self.connect() as connection:
            connection.execute(HOLD_OFF, [str(shop.tienda_id)])
            yield

    def open_shop(self, scenario: Scenario, *, seed: int, carts: int = CARTS) -> Shop:
        """A tienda of its own, warm."""
        products = [uuid.uuid4() for _ in range(scenario.products)]
        described = {
            "nombre": f"{scenario.name} {uuid.uuid4().hex[:8]}",
            "terminales": TERMINALS,
            "productos": [
                {
                    "id": str(producto),
                    "sku": f"B-{number:06d}",
                    "codigo_barras": "",
                    "nombre": f"Producto {number}",
                    "precio": PRICE,
                    "impuesto": "16.00",
                    "stock": str(STOCK),
                }
                for number, producto in enumerate(products)
            ],
        }
        made = json.loads(self.manage("replay_tienda", given=json.dumps(described)).splitlines()[-1])
        folder = self.folder / made["tienda_id"]
        folder.mkdir()
        (folder / "tokens").write_text("\n".join(made["tokens"]) + "\n")
        bodies = (
            json.dumps(
                {
                    "items": [{"producto_id": str(products[rank]), "cantidad": 1} for rank in cart],
                    "metodo_pago": "EFECTIVO",
                }
            )
            for cart in scenario.carts(carts, seed=seed)
        )
        (folder / "carts").write_text("\n".join(bodies) + "\n")
        return Shop(uuid.UUID(made["tienda_id"]), folder / "tokens", folder / "carts")


@contextmanager
def stand(folder: Path) -> Iterator[Stand]:
    """Everything started: three servers that keep what they are told, web, worker, maintenance and beat."""
    services = Services.private(folder=folder / "servers", postgres_settings=KNOWS_WHEN)
    counts = folder / "counts"
    counts.mkdir()
    with services, ExitStack() as ends:
        settings = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "SECRET_KEY": secrets.token_urlsafe(48),
            **services.environment(),
            "PROMETHEUS_MULTIPROC_DIR": str(counts),  # as it ships: one count of all processes
        }
        made = Stand(folder, services, settings, free_port(), free_port(), free_port())
        ends.callback(lambda: [process.stop() for process in made.running.values()])
        made.manage("migrate", "--no-input", "--verbosity=0")
        made.start("web", processes.web(port=made.web_port, workers=CORES))
        baseline = partial(processes.web, workers=CORES, blocking_threads=BASELINE_THREADS, application="bench.wsgi")
        made.start("baseline", baseline(port=made.baseline_port))
        made.start("maintenance", processes.maintenance(), UPKEEP)
        made.start("beat", processes.beat(), UPKEEP)
        made.start_worker()
        made.wait_for_log("maintenance", WORKER_READY)
        made.wait_for_port("web", made.web_port)
        made.wait_for_port("baseline", made.baseline_port)
        yield made
