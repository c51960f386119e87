"""A shop as `make run` starts one: PostgreSQL that writes to disk, every process, a tienda that is warm."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from redis import Redis

from scripts import processes
from scripts.postgres_server import Postgres
from tests.pipeline.rabbit import VirtualHost
from tests.polling import wait_until
from tests.spawning import Process, Spawner, Web

COMMAND_S = 90


@dataclass(frozen=True, slots=True)
class Report:
    """What one run of the command said."""

    status: int
    lines: dict[str, dict[str, Any]]
    text: str

    @property
    def failed(self) -> set[str]:
        """The keys of the lines that failed."""
        return {key for key, line in self.lines.items() if line["state"] == "failed"}

    @property
    def advices(self) -> set[str]:
        """Those of the advices."""
        return {key for key, line in self.lines.items() if line["state"] == "advice"}

    def said(self, key: str) -> str:
        """What a line saw, and what it says to do."""
        return f"{self.lines[key]['seen']} → {self.lines[key]['todo']}"


@dataclass(slots=True)
class OpenShop:
    """Its processes and servers, to break and to mend."""

    spawn: Spawner
    postgres: Postgres
    host: VirtualHost
    redis: "Redis"
    environment: dict[str, str]
    web: Web
    worker: Process
    maintenance: Process
    beat: Process

    def check(self, *words: str, environment: Mapping[str, str] | None = None) -> Report:
        """Run the command, as JSON."""
        done = self.manage("golive_check", "--json", f"--web-url={self.web.url}", *words, environment=environment)
        assert done.stdout, done.stderr
        told = json.loads(done.stdout)
        assert told["ok"] is (done.returncode == 0)
        return Report(done.returncode, {line["key"]: line for line in told["lines"]}, done.stdout + done.stderr)

    def manage(self, *words: str, environment: Mapping[str, str] | None = None) -> "subprocess.CompletedProcess[str]":
        """A management command as a process of its own."""
        return subprocess.run(
            processes.manage(*words),
            env=self.environment | dict(environment or {}),
            cwd=processes.ROOT,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """One statement, as the superuser."""
        with psycopg.connect(self.environment["DATABASE_URL"], autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def meta(self) -> str:
        """The key of what Redis knows of the demonstration's tienda."""
        (tienda,) = self.sql("SELECT id FROM tiendas WHERE is_active")[0]
        return f"meta:{{{tienda}}}"


def open_it(*, spawn: Spawner, postgres: Postgres, host: VirtualHost, environment: dict[str, str]) -> OpenShop:
    """Every process; returns when the first sale could be made, and beat has written down what it sent."""
    started = {"web": spawn.web(), "worker": spawn.worker(), "maintenance": spawn.maintenance(), "beat": spawn.beat()}
    web, redis = started["web"], Redis.from_url(environment["REDIS_URL"], decode_responses=True)
    assert isinstance(web, Web)
    shop = OpenShop(
        spawn, postgres, host, redis, environment, web, started["worker"], started["maintenance"], started["beat"]
    )
    for process in started.values():
        process.wait_ready()
    sent = "SELECT 1 FROM django_celery_beat_periodictask WHERE last_run_at IS NOT NULL"
    wait_until(lambda: bool(shop.sql(sent)), timeout_s=60, what="beat has written down what it sent")
    return shop


def prepare(environment: Mapping[str, str], folder: Path) -> None:
    """Before the processes: what they find."""
    for words in (["migrate", "--no-input"], ["demo", "--json"], ["warmup_stock", "--all"]):
        done = subprocess.run(
            processes.manage(*words),
            env=environment,
            cwd=processes.ROOT,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        (folder / f"{words[0]}.log").write_text(done.stdout + done.stderr)
        assert done.returncode == 0, done.stderr
