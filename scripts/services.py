"""Private PostgreSQL, Redis and RabbitMQ, started and stopped together: for `make run`, the tests, the benches.

Nothing here looks for a server that runs already: whatever listens somewhere may be somebody's data.
"""

import secrets
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from scripts.ports import free_ports
from scripts.postgres_server import Postgres
from scripts.rabbit_server import Rabbit
from scripts.redis_server import Redis
from scripts.service import Service, ServiceError

__all__ = ["Postgres", "Rabbit", "Redis", "Service", "ServiceError", "Services", "start_together", "stop_together"]

PORTS = 6  # PostgreSQL, Redis, and RabbitMQ's four


def start_together(services: Sequence[Service]) -> None:
    """Start them at the same time. Where one fails, none is left running and its error is raised."""
    try:
        with ThreadPoolExecutor(max_workers=len(services) or 1) as threads:
            starting = [threads.submit(service.start) for service in services]
            try:
                for one in starting:
                    one.result()
            except BaseException:
                kill_all(services)  # so that nobody is waited for
                raise
    except BaseException:
        kill_all(services)  # what was only about to start
        raise


def kill_all(services: Iterable[Service]) -> None:
    for service in services:
        service.kill()


def stop_together(services: Iterable[Service]) -> None:
    """Stop them at the same time, each in good order."""
    with ThreadPoolExecutor() as threads:
        list(threads.map(lambda service: service.stop(), services))


@dataclass(frozen=True)
class Services:
    """The three servers. As a context manager it starts them, and stops them at the end."""

    postgres: Postgres
    redis: Redis
    rabbit: Rabbit

    @classmethod
    def private(
        cls,
        *,
        folder: Path,
        ports: Sequence[int] = (),
        fsync: bool = True,
        counting_s: int | None = None,
        postgres_settings: Mapping[str, str] | None = None,
    ) -> Self:
        """Three servers with their data below `folder` and fresh passwords, on six ports (free ones by default).

        `counting_s`: how often RabbitMQ counts, and how often it shows what it counted. `postgres_settings`: further
        lines of postgresql.conf.
        """
        postgres, redis, *rabbit = ports or free_ports(PORTS)
        return cls(
            postgres=Postgres(
                folder=folder / "postgres",
                port=postgres,
                password=secrets.token_hex(16),
                fsync=fsync,
                settings=postgres_settings,
            ),
            redis=Redis(
                folder=folder / "redis",
                port=redis,
                password=secrets.token_hex(16),
                settings=None if fsync else {"appendfsync": "no"},
            ),
            rabbit=Rabbit(
                folder=folder / "rabbitmq",
                ports=rabbit,
                password=secrets.token_hex(16),
                counting_s=counting_s,
            ),
        )

    def each(self) -> tuple[Service, ...]:
        return self.postgres, self.redis, self.rabbit

    def environment(self) -> dict[str, str]:
        """The product's settings that name these servers."""
        return {
            "DATABASE_URL": self.postgres.url,
            "REDIS_URL": self.redis.url,
            "CACHE_URL": self.redis.database_url(1),
            "RABBITMQ_URL": self.rabbit.url,
            "RABBITMQ_MANAGEMENT_URL": self.rabbit.management_url,
        }

    def start(self) -> None:
        start_together(self.each())

    def stop(self) -> None:
        stop_together(self.each())

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
