"""Web, workers and maintenance as a shop runs them, against one virtual host."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import urllib3

from celery_app import app
from tests.pipeline.rabbit import SALES, VirtualHost
from tests.pipeline.shop import Shop
from tests.pipeline.till import Till
from tests.polling import poll, wait_until
from tests.spawning import Process, Spawner, Web

# Seconds where a shop has ten: what a test waits for.
QUICK = {"SWEEP_AFTER_MS": "1000", "SWEEP_BACKOFF_MAX_MS": "2000"}
THREADS = 24
WORKER_NAME = re.compile(r"(\S+@\S+) ready\b")


@dataclass(slots=True)
class Pipeline:
    """One web process, one worker with two children, one maintenance worker. Started when first asked for."""

    host: VirtualHost
    spawn: Spawner
    environment: Mapping[str, str] = field(default_factory=dict)
    concurrency: int = 2
    _web: Web | None = None
    _worker: Process | None = None
    _maintenance: Process | None = None
    pool: urllib3.PoolManager = field(default_factory=lambda: urllib3.PoolManager(maxsize=64, retries=False))

    def start(self) -> "Pipeline":
        """Start what does not run, all at once, and wait until each is ready."""
        if self._web is None or not self._web.running:
            self._web = self.spawn.web(blocking_threads=THREADS, environment=self.environment)
        if self._worker is None or not self._worker.running:
            self._worker = self.spawn.worker(concurrency=self.concurrency, environment=self.environment)
        if self._maintenance is None or not self._maintenance.running:
            self._maintenance = self.spawn.maintenance(environment=self.environment)
        for process in (self._web, self._worker, self._maintenance):
            process.wait_ready()
        return self

    @property
    def web(self) -> Web:
        """The web process, started where it does not run."""
        if self._web is None or not self._web.running:
            self._web = self.spawn.web(blocking_threads=THREADS, environment=self.environment)
            self._web.wait_ready()
        return self._web

    @property
    def worker(self) -> Process:
        """The worker on queue.sales.created, started where it does not run."""
        if self._worker is None or not self._worker.running:
            self._worker = self.spawn.worker(concurrency=self.concurrency, environment=self.environment)
            self._worker.wait_ready()
        return self._worker

    @property
    def maintenance(self) -> Process:
        """The worker on queue.maintenance; start() starts it."""
        assert self._maintenance is not None
        return self._maintenance

    def till(self, shop: Shop, *, terminal: int = 0, rol: str = "cajero") -> Till:
        """A till of the shop."""
        return Till(self.web.url, shop.seats[terminal].tokens[rol], pool=self.pool)

    @contextmanager
    def worker_aside(self) -> Iterator[None]:
        """The worker takes no messages meanwhile; what is sold waits in the queue."""
        found = WORKER_NAME.search(self.worker.log_text)
        assert found
        name = [found.group(1)]
        self._until_consumers(name, app.control.cancel_consumer, 0)
        try:
            yield
        finally:
            self._until_consumers(name, app.control.add_consumer, 1)

    def _until_consumers(self, name: list[str], command: Callable[..., object], count: int) -> None:
        """Tell the worker, again every two seconds, until the queue has so many consumers."""

        def told() -> bool:
            command(SALES, destination=name)
            return poll(lambda: self.host.consumers(SALES) == count, timeout_s=2)

        wait_until(told, timeout_s=30, what=f"{SALES} has {count} consumers")
