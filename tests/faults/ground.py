"""What is broken: web, worker, maintenance and beat as in a shop, with the points of mortal.py."""

import http.client
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field

import redis
from django.db import connections

from scripts import processes
from scripts.ports import LOOPBACK, free_port
from scripts.services import Redis, Services
from tests.faults.network import Wire
from tests.faults.orders import Orders
from tests.pipeline.rabbit import VirtualHost
from tests.polling import wait_until
from tests.spawning import BEAT_READY, WORKER_READY, Process, Spawner

THREADS = 16
# A shop's ten seconds are one here: what a case waits for.
QUICK = {"SWEEP_AFTER_MS": "1000", "SWEEP_BACKOFF_MAX_MS": "2000"}
WEB, WORKER, MAINTENANCE, BEAT = "web", "worker", "maintenance", "beat"
EVERYBODY = (WEB, WORKER, MAINTENANCE, BEAT)
PROBE_S = 1.0
REPLICA_S = 5.0


@dataclass(slots=True)
class Ground:
    """All that runs. `orders` are for its processes; `wires` lead from them to redis, rabbitmq and postgres.

    `standby` is a second Redis, for who needs one; `lens` is how the tests themselves see the one that counts.
    """

    services: Services
    host: VirtualHost
    spawn: Spawner
    orders: Orders
    wires: Mapping[str, Wire]
    standby: Redis
    lens: Wire
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    running: dict[str, Process] = field(default_factory=dict)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def url(self) -> str:
        """The web server's; the same after it was killed and started again."""
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Thaw everything, start what does not run, servers first, and wait until all of it is ready."""
        for service in (*self.services.each(), self.standby):
            service.thaw()
        for process in self.running.values():
            process.thaw()
        self.services.start()
        connections.close_all()
        new = [name for name in EVERYBODY if name not in self.running or not self.running[name].running]
        for name in new:
            self.running[name] = self._start(name)
        for name in new:
            self.running[name].wait_ready()
        wait_until(self.answers, timeout_s=40, what="the web server answers")

    def answers(self) -> bool:
        """Whether the web server does."""
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=PROBE_S)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True

    def restart(self, name: str, **environment: str) -> None:
        """Stop one and start it anew, with other settings."""
        self.running[name].stop()
        self.running[name] = self._start(name, environment)
        self.running[name].wait_ready()
        wait_until(self.answers, timeout_s=40, what="the web server answers")

    def replica_client(self) -> "redis.Redis":
        """The standby's own."""
        return redis.Redis.from_url(self.standby.url, decode_responses=True, socket_timeout=REPLICA_S)

    def more(self, name: str) -> Process:
        """One more of them, beside the one there is."""
        process = self._start(name)
        process.wait_ready()
        return process

    def _start(self, name: str, more: Mapping[str, str] | None = None) -> Process:
        number = next(self._numbers)
        environment = {**self.environment, **(more or {})}
        if name == WEB:
            command = processes.web(port=self.port, blocking_threads=THREADS, application="tests.faults.mortal_wsgi")
            return self.spawn(command, environment=environment)
        if name == BEAT:
            return self.spawn(processes.beat(), ready=BEAT_READY, environment=environment)
        if name == WORKER:
            command = processes.worker(concurrency=2, name=f"ventas{number}", app="tests.faults.mortal")
        else:
            command = processes.maintenance(name=f"mantenimiento{number}", app="tests.faults.mortal")
        return self.spawn(command, ready=WORKER_READY, environment=environment)
