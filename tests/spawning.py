"""The product's own processes, run beside a test against its servers."""

import http.client
import itertools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts import processes
from scripts.guarded import Guarded
from scripts.ports import LOOPBACK, free_port
from tests.polling import wait_until

READY_S = 40.0
GRACE_S = 10.0
WORKER_READY = re.compile(r"@\S+ ready\b")
BEAT_READY = re.compile(r"beat: Starting", re.IGNORECASE)


class Process(Guarded):
    """A running process: stop, kill, freeze, thaw, send, pids, log_text as in Guarded; and when it is ready."""

    def __init__(
        self, command: Sequence[str], *, log: Path, environment: Mapping[str, str], ready: re.Pattern[str] | None = None
    ) -> None:
        super().__init__(command, log=log, environment=environment, folder=processes.ROOT, grace_s=GRACE_S)
        self._ready = ready

    def is_ready(self) -> bool:
        """Whether it has said so. Fails where it has ended instead."""
        assert self.running, f"ended with {self.returncode}:\n{self.log_tail()}"
        return self._ready is None or bool(self._ready.search(self.log_text))

    def wait_ready(self) -> "Process":
        wait_until(self.is_ready, timeout_s=READY_S, what=f"{self.log.stem} is ready")
        return self


class Web(Process):
    """granian on a free port of 127.0.0.1."""

    def __init__(self, *, log: Path, environment: Mapping[str, str], workers: int, blocking_threads: int) -> None:
        self.port = free_port()
        self.url = f"http://{LOOPBACK}:{self.port}"
        command = processes.web(port=self.port, workers=workers, blocking_threads=blocking_threads)
        super().__init__(command, log=log, environment=environment)

    def is_ready(self) -> bool:
        """Whether it answers HTTP; which answer does not matter."""
        assert self.running, f"ended with {self.returncode}:\n{self.log_tail()}"
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()
        return True


class Spawner:
    """Starts processes, and ends those that are left. `environment` overrides what they get by default."""

    def __init__(self, *, folder: Path, environment: Mapping[str, str]) -> None:
        self._folder = folder
        self._environment = dict(environment)
        self._started: list[Process] = []
        self._count = itertools.count(1)

    def __call__(
        self,
        command: Sequence[str],
        *,
        ready: re.Pattern[str] | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Process:
        """Any command, in the project's folder."""
        return self._keep(
            Process(
                command, log=self._log("process"), environment=self._environment | dict(environment or {}), ready=ready
            )
        )

    def worker(self, *, concurrency: int = 1, environment: Mapping[str, str] | None = None) -> Process:
        """A Celery worker on queue.sales.created. Not waited for."""
        number = next(self._count)
        command = processes.worker(concurrency=concurrency, name=f"ventas{number}")
        return self(command, ready=WORKER_READY, environment=environment)

    def maintenance(self, *, environment: Mapping[str, str] | None = None) -> Process:
        command = processes.maintenance(name=f"mantenimiento{next(self._count)}")
        return self(command, ready=WORKER_READY, environment=environment)

    def beat(self, *, environment: Mapping[str, str] | None = None) -> Process:
        return self(processes.beat(), ready=BEAT_READY, environment=environment)

    def web(self, *, workers: int = 1, blocking_threads: int = 8, environment: Mapping[str, str] | None = None) -> Web:
        web = Web(
            log=self._log("web"),
            environment=self._environment | dict(environment or {}),
            workers=workers,
            blocking_threads=blocking_threads,
        )
        self._keep(web)
        return web

    def end_all(self) -> None:
        """Kill what still runs, and print the end of each log: pytest shows it with a test that failed."""
        for process in self._started:
            process.kill()
            print(f"--- {process.log.name} ({process.returncode})\n{process.log_tail()}")

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}-{next(self._count)}.log"

    def _keep(self, process: Process) -> Process:
        self._started.append(process)
        return process
