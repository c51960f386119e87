"""PostgreSQL is killed, loses its connections, or has no room on its disk."""

import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from scripts.services import Postgres
from tests.faults.scene import Scene

FULL_S = (0.5, 2.0)
NOTHING_MORE = 8_192
CUT = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def postgres_restart(scene: Scene, point: str) -> None:
    """Killed and restarted, or every connection cut, or no room."""
    postgres = scene.ground.services.postgres

    def restart() -> None:
        how = scene.turn(["killed", "cut", "full"])
        if how == "cut":
            cut_connections()
            return
        if how == "full":
            with full_disk(postgres):
                time.sleep(scene.draw.uniform(*FULL_S))  # the fault is its length
        postgres.kill()
        postgres.start()
        connection.close()

    scene.at(point, restart)


def cut_connections() -> None:
    """Each but this one."""
    with connection.cursor() as cursor:
        cursor.execute(CUT)


@contextmanager
def full_disk(postgres: Postgres) -> Iterator[None]:
    """None of its files may grow, the WAL included: to PostgreSQL, which ignores SIGXFSZ, that is a full disk."""
    before = [(pid, resource.prlimit(pid, resource.RLIMIT_FSIZE)) for pid in postgres.pids]
    for pid, (_soft, hard) in before:
        _limit(pid, (NOTHING_MORE, hard))
    try:
        yield
    finally:
        for pid, limits in before:
            _limit(pid, limits)


def _limit(pid: int, limits: tuple[int, int]) -> None:
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
    except ProcessLookupError:
        return  # a session that has ended
